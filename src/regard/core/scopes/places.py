"""Scopes that compare the places of queries and keys."""

import keras
from keras import ops

from regard.core.scopes.grid import check_integer, column, row
from regard.core.scopes.scope import EVERYTHING, Scope


@keras.saving.register_keras_serializable("regard")
class Causal(Scope):
    """No query sees a later key.

    Compares positions, so with T < S the queries are the last T of the S positions
    (bottom-right). ``offset`` compares row and column numbers instead: query row ``i``
    sees columns ``j <= i + offset``; ``Causal(offset=0)`` is the top-left triangle.
    """

    def __init__(self, offset: int | None = None):
        self.offset = None if offset is None else check_integer("offset", offset)

    @property
    def by_index(self):
        return self.offset is not None

    @property
    def relative(self):
        return self.offset is None

    def allows(self, grid):
        if self.offset is None:
            return grid.distances() >= 0
        return row(grid.key_index) <= column(grid.query_index) + self.offset

    def band(self):
        return (EVERYTHING, 0 if self.offset is None else EVERYTHING)

    def get_config(self):
        return {"offset": self.offset}


@keras.saving.register_keras_serializable("regard")
class Window(Scope):
    """A query sees ``left`` keys before it, the key at its place, ``right`` after it.

    ``Window(63)`` is causal and shows 64 keys; ``Window(2, 2)`` is symmetric.
    """

    cause = "window"
    relative = True

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

    def prefix(self):
        return self.length

    def get_config(self):
        return {"length": self.length}


@keras.saving.register_keras_serializable("regard")
class Dilated(Scope):
    """Of a window ``step`` times as wide, every ``step``-th key.

    A query sees its own place, ``left`` keys before it and ``right`` after it, each
    ``step`` positions from the next. Beltagy, Peters, Cohan 2020, arXiv:2004.05150.
    """

    relative = True

    def __init__(self, left: int, right: int = 0, step: int = 2):
        self.left = check_integer("left", left, minimum=0)
        self.right = check_integer("right", right, minimum=0)
        self.step = check_integer("step", step, minimum=1)

    def allows(self, grid):
        distance = grid.distances()
        near = ops.logical_and(
            distance <= self.left * self.step, distance >= -self.right * self.step
        )
        return ops.logical_and(near, ops.equal(ops.mod(distance, self.step), 0))

    def band(self):
        return (self.left * self.step, self.right * self.step)

    def get_config(self):
        return {"left": self.left, "right": self.right, "step": self.step}


@keras.saving.register_keras_serializable("regard")
class Strided(Scope):
    """The last ``length`` keys, and every ``length``-th key before them.

    Looks backwards only. Child et al. 2019, arXiv:1904.10509, the strided pattern as
    one head.
    """

    relative = True

    def __init__(self, length: int):
        self.length = check_integer("length", length, minimum=1)

    def allows(self, grid):
        distance = grid.distances()
        near = distance < self.length
        regular = ops.equal(ops.mod(distance, self.length), 0)
        return ops.logical_and(distance >= 0, ops.logical_or(near, regular))

    def band(self):
        return (EVERYTHING, 0)

    def get_config(self):
        return {"length": self.length}


@keras.saving.register_keras_serializable("regard")
class Neighbourhood(Scope):
    """Exactly ``size`` keys around every query, also at the ends.

    A window that would reach over an end is pushed inwards, so all rows see the same
    number of keys (all, where there are fewer). Hassani et al. 2022, arXiv:2204.07143.
    """

    cuttable = False  # the first and the last key push windows inwards

    def __init__(self, size: int):
        self.size = check_integer("size", size, minimum=1)

    def allows(self, grid):
        first = grid.key_positions[..., :1]
        last = grid.key_positions[..., -1:] - self.size + 1
        start = ops.minimum(grid.query_positions - self.size // 2, last)
        start = column(ops.maximum(start, first))
        places = row(grid.key_positions)
        return ops.logical_and(places >= start, places < start + self.size)

    def get_config(self):
        return {"size": self.size}
