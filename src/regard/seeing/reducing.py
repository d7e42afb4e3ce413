"""What is kept of weights while a model runs: rows, heads, or an outline of all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from regard.core.shapes import is_static, taken
from regard.seeing.outlining import outline

LARGEST = 1 << 25  # weights of one call kept whole, 134 MB
BLOCK = 3 << 22  # weights looked at together: 50 MB, which are given back to the system
_VECTORS = ("query", "key", "value")
_MEMORY = ("key", "value")
_TABLES = ("scores", "weights", "mask")
_PAIRS = (*_TABLES, "bias")
_SHARED = ("mask", "bias")  # which may have one head or row for all


@dataclass(frozen=True)
class Reduction:
    """What a capture keeps of the tables (B, H, T, S) of a call.

    ``rows`` and ``heads`` are numbers, all where None; those a call does not have are
    passed over. Unless ``whole``, a call with more weights than LARGEST is outlined.
    """

    rows: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    whole: bool = False

    def __call__(self, sizes, look) -> dict[str, Any]:
        """The tables of a call of these sizes, whose rows ``look(numbers)`` shows.

        ``reduced`` stands beside tables that are cut already, ``outline`` in the place
        of those that are not kept.
        """
        batch, heads, length, memory = sizes
        kept = _present(self.heads, heads)
        if self.rows is not None and is_static(length):
            rows = _present(self.rows, length)
            if len(rows):
                found = look(rows)
            else:  # no row can be looked at alone: one is taken away again
                none = np.s_[:, :, :0]
                found = {name: table[none] for name, table in look([0]).items()}
            return {**_of_heads(found, kept), "reduced": {}}
        count = heads if kept is None else len(kept)
        known = is_static(batch, count, length, memory)
        if self.whole or not known or batch * count * length * memory <= LARGEST:
            return {**_of_heads(look(None), kept), "reduced": {}}
        block = BLOCK // (batch * count * memory)
        found = outline(lambda rows: _of_heads(look(rows), kept), length, block)
        return {"outline": found}

    def cut(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a call: everything, of the rows and heads alone.

        Beside an outline no queries, keys and values are kept, which are larger.
        ``extra["rows"]`` and ``extra["heads"]`` say which are kept.
        """
        arrays = dict(arrays)
        done = _TABLES if arrays.pop("reduced", None) is not None else ()
        size = _sizes_of(arrays)
        found = arrays.pop("outline", None)
        extra = {**(arrays.get("extra") or {}), **(found or {})}
        if found is not None:
            arrays = {name: arrays[name] for name in arrays if name not in _VECTORS}
        if size is not None:
            heads = _present(self.heads, size[0])
            rows = _present(self.rows, size[1]) if found is None else None
            numbers = {"heads": heads, "rows": rows}
            extra |= {name: each for name, each in numbers.items() if each is not None}
            for name in (*_PAIRS, "query", "context", *_MEMORY):
                if arrays.get(name) is not None and name not in done:
                    arrays[name] = _cut(name, arrays[name], size, heads, rows)
            parts = arrays.get("masks") or {}
            arrays["masks"] = {
                cause: _cut("mask", each, size, heads, rows)
                for cause, each in parts.items()
            }
        return {**arrays, "extra": extra}


def _sizes_of(arrays):
    """How many heads and queries a call has, or None where that is not known."""
    for name in ("query", "weights"):
        array = arrays.get(name)
        if array is not None and array.ndim == 4:
            return array.shape[1:3]
    return None


def _cut(name, array, size, heads, rows):
    """The heads and rows of an array (B, H, T, ...); what all share stays."""
    if array.ndim != 4:
        return array
    if name in _MEMORY:
        count = array.shape[1]  # every head reads the keys of its group
        shared = heads is None or count == 1 < size[0] or size[0] % count
        return array if shared else np.take(array, heads * count // size[0], 1)
    for axis, numbers in ((1, heads), (2, rows)):
        of_all = name in _SHARED and array.shape[axis] == 1
        if numbers is not None and array.shape[axis] == size[axis - 1] and not of_all:
            array = np.take(array, numbers, axis)
    return array


def _present(numbers, size):
    """Those of the numbers that an axis of this size has, counted from its start."""
    if numbers is None:
        return None
    found = [each % size for each in numbers if -size <= each < size]
    return np.array(found, dtype="int32")


def _of_heads(tables, kept):
    """Those of the heads kept; a mask that all share stays one."""
    if kept is None:
        return tables
    return {
        name: taken(table, kept, 1) if name in _SHARED else ops.take(table, kept, 1)
        for name, table in tables.items()
    }
