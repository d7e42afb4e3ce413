"""Grids of pairs (B, T, S, C): a cell for every target place and every source place."""

from typing import Any

from keras import ops

from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen

Tensor = Any


def pair_grid(target: Tensor, source: Tensor) -> Tensor:
    """(B, T, D) and (B, S, D') -> (B, T, S, D + D'), each cell both vectors."""
    shape = (ops.shape(target)[0], ops.shape(target)[1], ops.shape(source)[1])
    rows = ops.expand_dims(target, 2)
    columns = ops.expand_dims(source, 1)
    rows = ops.broadcast_to(rows, (*shape, target.shape[-1]))
    columns = ops.broadcast_to(columns, (*shape, source.shape[-1]))
    return ops.concatenate([rows, columns], axis=-1)


def visible_cells(target_mask: Tensor | None, source_mask: Tensor | None):
    """(B, T) and (B, S) -> (B, T | 1, S | 1), or None where all is real."""
    if target_mask is None and source_mask is None:
        return None
    if target_mask is None:
        return ops.expand_dims(source_mask, 1)
    if source_mask is None:
        return ops.expand_dims(target_mask, 2)
    return ops.logical_and(
        ops.expand_dims(target_mask, 2), ops.expand_dims(source_mask, 1)
    )


def hide_cells(grid: Tensor, cells: Tensor | None) -> Tensor:
    """Zero the cells that are not real; ``cells`` broadcasts to (B, T, S)."""
    if cells is None:
        return grid
    return ops.where(ops.expand_dims(cells, -1), grid, ops.zeros_like(grid))


def prefixes_of(length) -> Tensor:
    """(S, S): row p sees the columns up to p."""
    places = ops.arange(length, dtype="int32")
    return ops.expand_dims(places, 0) <= ops.expand_dims(places, 1)


def largest(grid: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of each channel over the seen sources.

    Args:
        grid: (B, T, S, C).
        seen: boolean, broadcasts to (B, T, P, S): what each of P readings sees.

    Returns:
        (B, T, P, C), 0 where nothing is seen, and the share of channels that took each
        source (B, T, P, S). Of equal sources the first is taken; a channel that is
        equal in all, such as one of the target alone, is shared out evenly.
    """
    cells = ops.expand_dims(widen(grid), 2)  # (B, T, 1, S, C)
    seen = ops.expand_dims(seen, -1)
    lowered = ops.where(seen, cells, ops.full_like(cells, LOWEST))
    lowered = ops.stop_gradient(lowered)
    top = ops.max(lowered, axis=3, keepdims=True)
    equal = ops.logical_and(ops.equal(lowered, top), top > LOWEST)
    ones = ops.cast(equal, cells.dtype)
    first = ops.logical_and(equal, ops.cumsum(ones, axis=3) < 1.5)
    pooled = ops.sum(ops.where(first, cells, ops.zeros_like(cells)), axis=3)
    everywhere = ops.all(ops.logical_or(equal, ops.logical_not(seen)), axis=3)
    even = ones / ops.maximum(ops.sum(ones, axis=3, keepdims=True), 1.0)
    taken = ops.where(
        ops.expand_dims(everywhere, 3), even, ops.cast(first, cells.dtype)
    )
    return pooled, ops.mean(taken, axis=-1)


def mean(grid: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over the seen sources, as ``largest``."""
    cells = widen(grid)
    seen = ops.cast(seen, cells.dtype)
    count = ops.maximum(ops.sum(seen, axis=-1, keepdims=True), 1.0)
    shape = (*ops.shape(cells)[:2], ops.shape(seen)[2], ops.shape(cells)[2])
    weights = ops.broadcast_to(seen / count, shape)
    return ops.matmul(weights, cells), weights
