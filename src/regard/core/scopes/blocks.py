"""Scopes drawn in blocks, and tokens that see and are seen by all."""

import keras
import numpy as np
from keras import ops

from regard.core.scopes.grid import check_integer, column, row
from regard.core.scopes.scope import Scope
from regard.core.shapes import whole_part

__all__ = ["Blocks", "Everywhere", "big_bird"]


@keras.saving.register_keras_serializable("regard")
class Everywhere(Scope):
    """The tokens at these positions see all keys and are seen by all queries.

    Joined to a window with ``|`` this is Longformer's global attention (Beltagy,
    Peters, Cohan 2020, arXiv:2004.05150).
    """

    def __init__(self, positions):
        wanted = [check_integer("positions", p, minimum=0) for p in positions]
        self.positions = tuple(sorted(set(wanted)))

    def allows(self, grid):
        chosen = ops.convert_to_tensor(self.positions or (-1,), dtype="int32")

        def among(places):
            return ops.any(ops.equal(ops.expand_dims(places, -1), chosen), axis=-1)

        asks = column(among(grid.query_positions))
        return ops.logical_or(asks, row(among(grid.key_positions)))

    def get_config(self):
        return {"positions": list(self.positions)}


@keras.saving.register_keras_serializable("regard")
class Blocks(Scope):
    """Block ``i`` of queries sees block ``j`` of keys where ``layout[i][j]``.

    A block is ``size`` positions long; positions past the layout see nothing.

    Raises:
        ValueError: where layout is not a matrix of truth values.
    """

    def __init__(self, layout, size: int):
        matrix = np.asarray(layout, dtype=bool)
        if matrix.ndim != 2 or not matrix.size:
            raise ValueError(
                "layout must be a matrix of truth values, blocks of queries by blocks "
                f"of keys. Got shape {matrix.shape}."
            )
        self.layout = matrix
        self.size = check_integer("size", size, minimum=1)

    def allows(self, grid):
        rows, columns = self.layout.shape
        framed = np.zeros((rows + 1, columns + 1), bool)  # the last: outside
        framed[:rows, :columns] = self.layout
        table = ops.convert_to_tensor(framed)
        asks = self._block(grid.query_positions, rows)
        read = self._block(grid.key_positions, columns)
        flat = ops.reshape(table, (-1,))
        return ops.take(flat, column(asks) * (columns + 1) + row(read), axis=0)

    def _block(self, positions, count):
        block = whole_part(positions, self.size)
        inside = ops.logical_and(positions >= 0, block < count)
        return ops.where(inside, block, ops.full_like(block, count))

    def get_config(self):
        return {"layout": self.layout.tolist(), "size": self.size}


def big_bird(length: int, size: int = 64, window=1, random=3, seed=0) -> Scope:
    """Zaheer et al. 2020, arXiv:2007.14062: neighbours, first and last, and chance.

    Every block of ``size`` queries sees itself, ``window`` blocks on each side, the
    first and the last block (which also see everything) and ``random`` others, drawn
    once from ``seed``, so that a saved model keeps them.

    Raises:
        ValueError: where a size is not a positive integer.
    """
    length = check_integer("length", length, minimum=1)
    size = check_integer("size", size, minimum=1)
    count = -(-length // size)
    places = np.arange(count)
    layout = np.abs(places[:, None] - places[None]) <= window
    layout[[0, -1]] = layout[:, [0, -1]] = True
    draw = np.random.default_rng(seed)
    for line in layout:
        free = np.flatnonzero(~line)
        line[draw.permutation(free)[:random]] = True
    return Blocks(layout, size)
