"""What is kept of weights while a model runs: rows, heads, or an outline of all.

An outline is made from a block of rows after another, so that no table of all pairs
ever exists: 144 heads of 4,096 x 4,096 are 9.7 GB, their outline 0.4 GB.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from regard.core.shapes import is_static, sizes_of, taken

LARGEST = 1 << 25  # weights of one call kept whole, 134 MB
CELLS = 512  # of an overview's side, at most
BLOCK = 256  # rows looked at together, about
TOP = 16  # keys kept of every row
_VECTORS = ("query", "key", "value")


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
        """The tables of a call of these sizes, whose rows ``look(numbers)`` shows."""
        batch, heads, length, memory = sizes
        kept = _present(self.heads, heads)
        if self.rows is not None and is_static(length):
            rows = _present(self.rows, length)
            found = _of_heads(look(rows), kept)
            return {**found, "extra": {"rows": ops.convert_to_tensor(rows)}}
        count = heads if kept is None else len(kept)
        known = is_static(batch, count, length, memory)
        if self.whole or not known or batch * count * length * memory <= LARGEST:
            return _of_heads(look(None), kept)
        return {"extra": outline(lambda rows: _of_heads(look(rows), kept), length)}

    def cut(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """The same of arrays of a layer that gave its tables whole.

        Beside an outline no queries, keys and values are kept, which are larger.
        """
        extra = arrays.get("extra") or {}
        if "received" in extra:
            return {name: arrays[name] for name in arrays if name not in _VECTORS}
        tables = {name: arrays.get(name) for name in ("weights", "scores", "mask")}
        weights = tables["weights"]
        given = self.rows is not None or self.heads is not None
        if not given or weights is None or weights.ndim != 4 or "rows" in extra:
            return arrays
        for axis, numbers in ((1, self.heads), (2, self.rows)):
            chosen = _present(numbers, weights.shape[axis])
            if chosen is None:
                continue
            for name, table in tables.items():
                if table is not None and table.ndim == 4 and table.shape[axis] > 1:
                    tables[name] = np.take(table, chosen, axis)
            if axis == 2:
                extra = {**extra, "rows": chosen}
        return {**arrays, **tables, "extra": extra}


def outline(look, length) -> dict[str, Any]:
    """What is kept of a large table of weights (B, H, T, S), by name.

    ``entropy`` (B, H, T) in nats; ``visible`` (B, H, T), how many keys a row may see;
    ``received`` (B, H, S), the sum of each column; ``top_keys`` and ``top_weights``
    (B, H, T, 16), the largest of a row; ``largest`` and ``mean`` (B, H, P, Q), of the
    cells of an overview, P and Q at most 512.
    """
    high = -(-length // CELLS)
    step = high * max(1, BLOCK // high)
    rows: dict[str, list] = {}
    received: Any = 0
    for start in range(0, length, step):
        numbers = np.arange(start, min(start + step, length), dtype="int32")
        found = look(numbers)
        weights = ops.cast(found["weights"], "float32")
        received = received + ops.sum(weights, axis=2)
        for name, part in _outlined(weights, found["mask"], high).items():
            rows.setdefault(name, []).append(part)
    joined = {name: ops.concatenate(parts, axis=2) for name, parts in rows.items()}
    return {**joined, "received": received}


def _outlined(weights, mask, high):
    """Of one block of rows (B, H, R, S)."""
    keys = sizes_of(weights)[3]
    safe = ops.where(weights > 0, weights, ops.ones_like(weights))
    seen = ops.broadcast_to(mask, ops.shape(weights))
    top_weights, top_keys = ops.top_k(weights, min(TOP, keys))
    wide = -(-keys // CELLS)
    return {
        "entropy": -ops.sum(weights * ops.log(safe), axis=-1),
        "visible": ops.sum(ops.cast(seen, "int32"), axis=-1),
        "top_keys": ops.cast(top_keys, "int32"),
        "top_weights": top_weights,
        "largest": _pooled(weights, high, wide, ops.max),
        "mean": _pooled(weights, high, wide, ops.sum) / _counts(weights, high, wide),
    }


def _pooled(table, high, wide, pool):
    """(B, H, R, S) -> (B, H, R / high, S / wide), rounded up; nothing lies outside."""
    batch, heads, rows, keys = sizes_of(table)
    below, right = -rows % high, -keys % wide
    table = ops.pad(table, ((0, 0), (0, 0), (0, below), (0, right)))
    shape = (batch, heads, (rows + below) // high, high, (keys + right) // wide, wide)
    return pool(ops.reshape(table, shape), axis=(3, 5))


def _counts(table, high, wide):
    """How many weights each cell holds."""
    return _pooled(ops.ones_like(table[:1, :1]), high, wide, ops.sum)


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
    return {name: taken(table, kept, 1) for name, table in tables.items()}
