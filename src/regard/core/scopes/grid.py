"""Where the rows and columns of a score matrix lie."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from regard.core.shapes import rank_of, taken

Tensor = Any


@dataclass(frozen=True)
class Grid:
    """Where the rows and columns of a score matrix lie.

    Positions are integers of shape (T,) or (B, T) for queries and (S,) or (B, S) for
    keys; the indices count rows and columns from zero and ignore positions, in the
    shape of positions where only parts of a matrix are looked at.
    """

    aligned = False  # True where keys stand at 0..S-1, queries at the last T of them

    query_positions: Tensor  # (T,) | (B, T)
    key_positions: Tensor  # (S,) | (B, S)
    query_index: Tensor  # (T,) | (B, T)
    key_index: Tensor  # (S,) | (B, S)

    @classmethod
    def of(cls, query_length, key_length, query_positions=None, key_positions=None):
        """By default keys stand at 0..S-1 and queries at the last T of them."""
        kind = _Aligned if query_positions is key_positions is None else cls
        query_index = ops.arange(query_length, dtype="int32")
        key_index = ops.arange(key_length, dtype="int32")
        if query_positions is None:
            query_positions = query_index + (key_length - query_length)
        if key_positions is None:
            key_positions = key_index
        return kind(
            integers("query_positions", query_positions),
            integers("key_positions", key_positions),
            query_index,
            key_index,
        )

    def of_rows(self, numbers) -> "Grid":
        """Where the queries with these numbers and all keys stand; never aligned."""
        return Grid(
            taken(self.query_positions, numbers, -1),
            self.key_positions,
            taken(self.query_index, numbers, -1),
            self.key_index,
        )

    def distances(self) -> Tensor:
        """Query position minus key position: (T, S) or (B, T, S)."""
        return column(self.query_positions) - row(self.key_positions)


class _Aligned(Grid):
    """A grid of positions nobody gave, so that all are known from rows and columns."""

    aligned = True


def column(index: Tensor) -> Tensor:
    """(…, T) -> (…, T, 1)."""
    return ops.expand_dims(index, -1)


def row(index: Tensor) -> Tensor:
    """(…, S) -> (…, 1, S)."""
    return ops.expand_dims(index, -2)


def integers(name: str, positions: Tensor) -> Tensor:
    """Positions as int32; anything but whole numbers raises."""
    positions = ops.convert_to_tensor(positions)
    kind = keras.backend.standardize_dtype(positions.dtype)
    if "int" not in kind or rank_of(positions) not in (1, 2):
        raise ValueError(
            f"{name} must be integers of shape (length,) or (batch, length). Got "
            f"{kind} of shape {tuple(positions.shape)}."
        )
    return ops.cast(positions, "int32")


def check_integer(name: str, value: Any, minimum: int | None = None) -> int:
    """Return the integer, or raise saying what it must be."""
    wrong = isinstance(value, bool) or not hasattr(value, "__index__")
    if wrong or (minimum is not None and value < minimum):
        least = "" if minimum is None else f" of at least {minimum}"
        raise ValueError(f"{name} must be an integer{least}. Got {value!r}.")
    return int(value)
