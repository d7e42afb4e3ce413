r"""Blocks of queries, each with the keys near it, as examples of a batch.

    queries        |0 1 2 3|4 5 6 7|8 9 …          left 2, right 1
    keys of them   . . 0 1 2 3 4 | 2 3 4 5 6 7 8 | 6 7 …

(B, H, T, S) becomes (B * blocks, H, rows, left + rows + right), and back.
"""

from dataclasses import dataclass
from typing import Any

from keras import ops

from regard.core.scopes import Grid
from regard.core.shapes import is_static, sizes_of

Tensor = Any


@dataclass(frozen=True)
class Folding:
    """Turns blocks of queries and their keys into examples of a batch, and back.

    ``start`` is the column of the first key of the first block, negative where it lies
    before all keys; ``width`` keys belong to a block of ``rows`` queries.
    """

    batch: Any
    length: Any
    memory: Any
    rows: int
    width: int
    left: int

    @classmethod
    def of(cls, rows, reach, query, key):
        """For queries (B, H, T, D), keys (B, G, S, D), and how many of them to see."""
        batch, _, length, _ = sizes_of(query)
        return cls(batch, length, sizes_of(key)[2], rows, rows + sum(reach), reach[0])

    @property
    def count(self):
        """How many blocks."""
        return -(-self.length // self.rows)

    @property
    def start(self):
        return self.memory - self.length - self.left

    @property
    def span(self):
        """How many keys, from ``start`` on, whole blocks of ``rows`` need to hold."""
        return (self.count - 1 + -(-self.width // self.rows)) * self.rows

    def queries(self, tensor):
        """(B, H, T, D) -> (B * blocks, H, rows, D)."""
        batch, heads, _, size = sizes_of(tensor)
        shape = (batch, heads, self.count, self.rows, size)
        return self._fold(ops.reshape(self._whole_rows(tensor), shape))

    def keys(self, tensor):
        """(B, G, S, D) -> (B * blocks, G, width, D)."""
        batch, heads, _, size = sizes_of(tensor)
        tensor = self._framed(tensor, 2)
        blocks = ops.reshape(tensor, (batch, heads, -1, self.rows, size))
        pieces: list[Tensor] = []
        missing = self.width
        while missing > 0:
            first = len(pieces)
            piece = blocks[:, :, first : first + self.count, : min(missing, self.rows)]
            pieces.append(piece)
            missing -= self.rows
        return self._fold(ops.concatenate(pieces, axis=3))

    def pairs(self, tensor):
        """What broadcasts to (B, H, T, S) -> … to (B * blocks, H, rows, width)."""
        while len(tensor.shape) < 4:
            tensor = ops.expand_dims(tensor, 0)
        if tensor.shape[3] == 1:
            if tensor.shape[2] == 1:
                return self._fold(ops.expand_dims(tensor, 2))
            return self.queries(tensor)
        if tensor.shape[2] == 1:
            columns = self.keys(ops.swapaxes(tensor, 2, 3))
            return ops.swapaxes(columns, 2, 3)
        return self._fold(self._skewed(tensor))

    def _skewed(self, tensor):
        """(b, h, T, S) -> (b, h, blocks, rows, width): each block shifted by its rows.

        In the flat table a block begins ``rows`` rows below the one before. With
        ``rows`` more entries for each, it begins ``rows`` columns further right.
        """
        tensor = self._framed(self._whole_rows(tensor), 3)
        batch, heads, _, columns = sizes_of(tensor)
        block = self.rows * columns
        flat = ops.reshape(tensor, (batch, heads, self.count * block))
        flat = ops.pad(flat, ((0, 0), (0, 0), (0, self.count * self.rows)))
        blocks = ops.reshape(flat, (batch, heads, self.count, block + self.rows))
        shape = (batch, heads, self.count, self.rows, columns)
        return ops.reshape(blocks[..., :block], shape)[..., : self.width]

    def inside(self):
        """Which columns of a block are keys, (B * blocks, 1, 1, width)."""
        places = self._places(self.start, self.width)
        real = ops.logical_and(places >= 0, places < self.memory)
        return self._fold(real[None, None, :, None])

    def grid(self, relative):
        """Where the rows and columns of blocks stand.

        Where distances alone matter, one small grid serves all blocks.
        """
        if relative:
            rows, columns = (ops.arange(n, dtype="int32") for n in self.shape()[2:])
            return Grid(rows + self.left, columns, rows, columns)
        asks = self._places(self.memory - self.length, self.rows)
        index, read = self._places(0, self.rows), self._places(self.start, self.width)
        asks, read, index = (
            self._fold(each[None, None, :, None])[:, 0, 0]
            for each in (asks, read, index)
        )
        return Grid(asks, read, index, read)

    def shape(self, heads=1, more=0):
        """That of the weights of all blocks, with ``more`` keys of the layer's own."""
        return (self.batch * self.count, heads, self.rows, self.width + more)

    def unfold(self, tensor):
        """(B * blocks, H, rows, Dv) -> (B, H, T, Dv)."""
        _, heads, _, size = sizes_of(tensor)
        apart = (self.batch, self.count, heads, self.rows, size)
        tensor = ops.moveaxis(ops.reshape(tensor, apart), 1, 2)
        joined = (self.batch, heads, self.count * self.rows, size)
        return ops.reshape(tensor, joined)[:, :, : self.length]

    def _places(self, first, size):
        """(blocks, size): numbers from ``first`` on, every block ``rows`` further."""
        blocks = ops.arange(self.count, dtype="int32")[:, None] * self.rows
        return blocks + ops.arange(size, dtype="int32") + first

    def _fold(self, tensor):
        """(B | 1, H, blocks | 1, X, Y) -> (B * blocks, H, X, Y)."""
        _, heads, _, high, wide = sizes_of(tensor)
        shape = (self.batch, heads, self.count, high, wide)
        tensor = ops.moveaxis(ops.broadcast_to(tensor, shape), 2, 1)
        return ops.reshape(tensor, (self.batch * self.count, heads, high, wide))

    def _whole_rows(self, tensor):
        """Zeros behind the last row, up to whole blocks."""
        return _padded(tensor, 2, 0, self.count * self.rows - self.length)

    def _framed(self, tensor, axis):
        """Keys from ``start`` to ``start + span``, zeros where there are none."""
        first = _at_least_zero(self.start)
        tensor = tensor[(*[slice(None)] * axis, slice(first, None))]
        before, after = (
            _at_least_zero(-self.start),
            self.start + self.span - self.memory,
        )
        return _padded(tensor, axis, before, after)


def _padded(tensor, axis, before, after):
    if is_static(before, after) and not before and not after:
        return tensor
    widths = [(0, 0)] * len(tensor.shape)
    widths[axis] = (before, after)
    return ops.pad(tensor, widths)


def _at_least_zero(number):
    return max(number, 0) if is_static(number) else ops.maximum(number, 0)
