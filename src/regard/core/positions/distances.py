"""Tables of distances: reading them, and which row a pair of places has."""

from typing import Any

from keras import ops

from regard.core.scopes import Grid, check_integer

Tensor = Any


def check_reach(reach) -> int:
    """How far distances are told apart, as an integer, or an error saying so."""
    return check_integer("reach", reach, minimum=1)


def unsigned(grid: Grid) -> Tensor:
    """How far every query is from every key, either way: float32, (B | 1, 1, T, S)."""
    distance = ops.cast(ops.abs(grid.distances()), "float32")
    while len(distance.shape) < 4:  # heads, and the batch where all share the places
        distance = ops.expand_dims(distance, -3)
    return distance


def clipped(distances: Tensor, reach: int) -> Tensor:
    """Rows 0..2·reach of a table of distances -reach..reach, the farther clipped."""
    return ops.clip(distances, -reach, reach) + reach


def picked(values: Tensor, rows: Tensor) -> Tensor:
    """Of ``values`` (B, H, T, K) the entries ``rows`` (T, S) or (B, T, S): BHTS."""
    while len(rows.shape) < 4:  # heads, and the batch where all share the rows
        rows = ops.expand_dims(rows, -3)
    batch, heads, length, _ = ops.shape(values)
    rows = ops.broadcast_to(rows, (batch, heads, length, ops.shape(rows)[-1]))
    return ops.take_along_axis(values, rows, axis=-1)


def against(vectors: Tensor, table: Tensor) -> Tensor:
    """Products of vectors (B, H, T, D) with a table (K, H, D) or (K, D): (B, H, T, K).

    Both are float32 at least.
    """
    if len(table.shape) == 2:
        return ops.matmul(vectors, ops.transpose(table))
    return ops.matmul(vectors, ops.transpose(table, (1, 2, 0)))
