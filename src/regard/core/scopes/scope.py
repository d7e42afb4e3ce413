"""Masks described by positions, and their algebra."""

from typing import Any

import keras
from keras import ops

from regard.core.parts import Part
from regard.core.scopes.grid import Grid

Tensor = Any
EVERYTHING = float("inf")  # a band without an end


class Scope(Part):
    """A boolean mask described by positions; abstract."""

    cause = "scope"  # under which traces show what it hides

    @property
    def static(self) -> bool:
        """True where no data is held, so that a constructor may keep it."""
        return True

    @property
    def by_index(self) -> bool:
        """True where rows and columns count, not the positions they stand for."""
        return not self.static

    @property
    def relative(self) -> bool:
        """True where only the distances between positions matter."""
        return False

    @property
    def cuttable(self) -> bool:
        """True where a pair is allowed whatever other rows and columns there are."""
        return self.static

    def prefix(self) -> int:
        """How many first positions every query sees, also from before them."""
        return 0

    def allows(self, grid: Grid) -> Tensor:
        """True where the query may see the key: broadcasts to (B, T, S)."""
        raise NotImplementedError(f"{type(self).__name__} must define allows(grid).")

    def band(self) -> tuple[float, float]:
        """How many positions to the left and to the right a query can see at most."""
        return (EVERYTHING, EVERYTHING)

    def dense(self, query_length: int, key_length: int | None = None) -> Tensor:
        """The boolean matrix (T, S), or (B, T, S) where the scope holds data."""
        key_length = query_length if key_length is None else key_length
        allowed = self.allows(Grid.of(query_length, key_length))
        shape = (*allowed.shape[:-2], query_length, key_length)
        return ops.broadcast_to(allowed, shape)

    def __and__(self, other):
        return Both(self, check_scope(other, "the right side of &"))

    def __or__(self, other):
        return Either(self, check_scope(other, "the right side of |"))

    def __invert__(self):
        return Inverse(self)


def joint_band(scopes: Any) -> tuple[float, float] | None:
    """How far left and right all of them let see; None where one cannot be cut."""
    if not all(scope.cuttable for scope in scopes):
        return None
    bands = [scope.band() for scope in scopes]
    left, right = (
        min((band[side] for band in bands), default=EVERYTHING) for side in (0, 1)
    )
    return left, right


class _Pair(Scope):
    """Two scopes joined; abstract."""

    def __init__(self, left: Scope, right: Scope):
        self.left, self.right = left, right

    @property
    def static(self):
        return self.left.static and self.right.static

    @property
    def by_index(self):
        return self.left.by_index or self.right.by_index

    @property
    def relative(self):
        return self.left.relative and self.right.relative

    @property
    def cuttable(self):
        return self.left.cuttable and self.right.cuttable

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

    def prefix(self):
        return max(self.left.prefix(), self.right.prefix())

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

    def prefix(self):
        return max(self.left.prefix(), self.right.prefix())

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

    @property
    def by_index(self):
        return self.scope.by_index

    @property
    def relative(self):
        return self.scope.relative

    @property
    def cuttable(self):
        return self.scope.cuttable

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
