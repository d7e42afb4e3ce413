"""Who may look at whom: masks described by positions, and their algebra.

A scope is a boolean mask computed from positions (True = may attend). It is a small
immutable expression, combined with ``&``, ``|`` and ``~``, and evaluated only for the
rows that are needed.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from regard.core.shapes import rank_of

Tensor = Any
_EVERYTHING = float("inf")


@dataclass(frozen=True)
class Grid:
    """Where the rows and columns of a score matrix lie.

    Positions are integers of shape (T,) or (B, T) for queries and (S,) or (B, S) for
    keys; the indices count rows and columns from zero and ignore positions.
    """

    query_positions: Tensor  # (T,) | (B, T)
    key_positions: Tensor  # (S,) | (B, S)
    query_index: Tensor  # (T,)
    key_index: Tensor  # (S,)

    @classmethod
    def of(cls, query_length, key_length, query_positions=None, key_positions=None):
        """By default keys stand at 0..S-1 and queries at the last T of them."""
        query_index = ops.arange(query_length, dtype="int32")
        key_index = ops.arange(key_length, dtype="int32")
        if query_positions is None:
            query_positions = query_index + (key_length - query_length)
        if key_positions is None:
            key_positions = key_index
        return cls(
            integers("query_positions", query_positions),
            integers("key_positions", key_positions),
            query_index,
            key_index,
        )

    def distances(self) -> Tensor:
        """Query position minus key position: (T, S) or (B, T, S)."""
        return column(self.query_positions) - row(self.key_positions)


def column(index: Tensor) -> Tensor:
    """(…, T) -> (…, T, 1)."""
    return ops.expand_dims(index, -1)


def row(index: Tensor) -> Tensor:
    """(…, S) -> (…, 1, S)."""
    return ops.expand_dims(index, -2)


class Scope:
    """A boolean mask described by positions; abstract."""

    @property
    def static(self) -> bool:
        """True where no data is held, so that a constructor may keep it."""
        return True

    def allows(self, grid: Grid) -> Tensor:
        """True where the query may see the key: broadcasts to (B, T, S)."""
        raise NotImplementedError(f"{type(self).__name__} must define allows(grid).")

    def band(self) -> tuple[float, float]:
        """How many positions to the left and to the right a query can see at most."""
        return (_EVERYTHING, _EVERYTHING)

    def dense(self, query_length: int, key_length: int | None = None) -> Tensor:
        """The boolean matrix (T, S), or (B, T, S) where the scope holds data."""
        key_length = query_length if key_length is None else key_length
        allowed = self.allows(Grid.of(query_length, key_length))
        shape = (*allowed.shape[:-2], query_length, key_length)
        return ops.broadcast_to(allowed, shape)

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __and__(self, other):
        return Both(self, check_scope(other, "the right side of &"))

    def __or__(self, other):
        return Either(self, check_scope(other, "the right side of |"))

    def __invert__(self):
        return Inverse(self)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash((type(self).__name__, repr(self)))

    def __repr__(self):
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({inside})"


@keras.saving.register_keras_serializable("regard")
class Causal(Scope):
    """No query sees a later key.

    Compares positions, so with T < S the queries are the last T of the S positions
    (bottom-right). ``offset`` compares row and column numbers instead: query row ``i``
    sees columns ``j <= i + offset``; ``Causal(offset=0)`` is the top-left triangle.
    """

    def __init__(self, offset: int | None = None):
        self.offset = None if offset is None else check_integer("offset", offset)

    def allows(self, grid):
        if self.offset is None:
            return grid.distances() >= 0
        return row(grid.key_index) <= column(grid.query_index) + self.offset

    def band(self):
        return (_EVERYTHING, 0 if self.offset is None else _EVERYTHING)

    def get_config(self):
        return {"offset": self.offset}


@keras.saving.register_keras_serializable("regard")
class Window(Scope):
    """A query sees ``left`` keys before it, the key at its place, ``right`` after it.

    ``Window(63)`` is causal and shows 64 keys; ``Window(2, 2)`` is symmetric.
    """

    def __init__(self, left: int, right: int = 0):
        self.left = check_integer("left", left, minimum=0)
        self.right = check_integer("right", right, minimum=0)

    def allows(self, grid):
        distance = grid.distances()
        return ops.logical_and(distance <= self.left, distance >= -self.right)

    def band(self):
        return (self.left, self.right)

    def get_config(self):
        return {"left": self.left, "right": self.right}


@keras.saving.register_keras_serializable("regard")
class Prefix(Scope):
    """Every query sees the keys at positions 0..length-1."""

    def __init__(self, length: int):
        self.length = check_integer("length", length, minimum=0)

    def allows(self, grid):
        return row(grid.key_positions) < self.length

    def get_config(self):
        return {"length": self.length}


class Padding(Scope):
    """The real keys of each example, from lengths (B,) or a boolean keep-mask (B, S).

    It holds data, so it is an argument of a call (``attention_mask=``), never of a
    constructor, and is not saved.
    """

    def __init__(self, keep: Tensor):
        keep = ops.convert_to_tensor(keep)
        kind = keras.backend.standardize_dtype(keep.dtype)
        if "float" in kind or rank_of(keep) not in (1, 2):
            raise ValueError(
                "keep must be integer lengths of shape (batch,) or a boolean mask of "
                f"shape (batch, key), True = real. Got {kind} of shape "
                f"{tuple(keep.shape)}."
            )
        self.keep = keep

    @property
    def static(self):
        return False

    def allows(self, grid):
        if rank_of(self.keep) == 1:
            keep = row(grid.key_index) < column(self.keep)  # (B, S)
        else:
            keep = ops.cast(self.keep, "bool")
        return row(keep)  # (B, 1, S)

    def get_config(self):
        return {"keep": keras.ops.convert_to_numpy(self.keep).tolist()}


class _Pair(Scope):
    """Two scopes joined; abstract."""

    def __init__(self, left: Scope, right: Scope):
        self.left, self.right = left, right

    @property
    def static(self):
        return self.left.static and self.right.static

    def get_config(self):
        return {
            "left": keras.saving.serialize_keras_object(self.left),
            "right": keras.saving.serialize_keras_object(self.right),
        }

    @classmethod
    def from_config(cls, config):
        read = keras.saving.deserialize_keras_object
        return cls(read(config["left"]), read(config["right"]))


@keras.saving.register_keras_serializable("regard")
class Both(_Pair):
    """Allowed by both scopes (``a & b``)."""

    def allows(self, grid):
        return ops.logical_and(self.left.allows(grid), self.right.allows(grid))

    def band(self):
        pairs = zip(self.left.band(), self.right.band(), strict=True)
        return tuple(min(pair) for pair in pairs)

    def __repr__(self):
        return f"({self.left!r} & {self.right!r})"


@keras.saving.register_keras_serializable("regard")
class Either(_Pair):
    """Allowed by at least one scope (``a | b``)."""

    def allows(self, grid):
        return ops.logical_or(self.left.allows(grid), self.right.allows(grid))

    def band(self):
        pairs = zip(self.left.band(), self.right.band(), strict=True)
        return tuple(max(pair) for pair in pairs)

    def __repr__(self):
        return f"({self.left!r} | {self.right!r})"


@keras.saving.register_keras_serializable("regard")
class Inverse(Scope):
    """Allowed where the scope forbids (``~a``)."""

    def __init__(self, scope: Scope):
        self.scope = scope

    @property
    def static(self):
        return self.scope.static

    def allows(self, grid):
        return ops.logical_not(self.scope.allows(grid))

    def get_config(self):
        return {"scope": keras.saving.serialize_keras_object(self.scope)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["scope"]))

    def __repr__(self):
        return f"~{self.scope!r}"


def check_scope(value: Any, name: str) -> Scope:
    """Return the scope, or raise saying what it must be."""
    if not isinstance(value, Scope):
        raise ValueError(
            f"{name} must be a scope such as regard.Causal() or regard.Window(63). "
            f"Got {value!r}."
        )
    return value


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
