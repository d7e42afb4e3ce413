"""An outline of weights that are too many to keep.

It is made from a block of rows after another, so that no table of all pairs ever
exists: 144 heads of 4,096 x 4,096 are 9.7 GB, their outline 0.4 GB.
"""

from typing import Any

import numpy as np
from keras import ops

from regard.core.shapes import sizes_of
from regard.seeing.tracers import settled

CELLS = 512  # of an overview's side, at most
TOP = 16  # keys kept of every row


def outline(look, length, block) -> dict[str, Any]:
    """What is kept of a large table of weights (B, H, T, S), by name.

    ``entropy`` (B, H, T) in nats; ``visible`` (B, H, T), how many keys a row may see;
    ``received`` (B, H, S), the sum of each column; ``top_keys`` and ``top_weights``
    (B, H, T, 16), the largest of a row; ``largest`` and ``mean`` (B, H, P, Q), of the
    cells of an overview, P and Q at most 512; ``unconfirmed`` (B, H, T) where the look
    says it. About ``block`` rows are looked at together.
    """
    high = -(-length // CELLS)
    step = high * max(1, block // high)
    rows: dict[str, list] = {}
    received: Any = 0
    for start in range(0, length, step):
        numbers = np.arange(start, min(start + step, length), dtype="int32")
        found = look(numbers)
        # torch would keep every block for a gradient that nobody takes.
        weights = ops.stop_gradient(ops.cast(found["weights"], "float32"))
        received = received + ops.sum(weights, axis=2)
        parts = _outlined(weights, found["mask"], high)
        if "unconfirmed" in found:
            parts["unconfirmed"] = found["unconfirmed"]
        for name, part in settled(parts).items():
            rows.setdefault(name, []).append(part)
    joined = {name: _concatenated(parts) for name, parts in rows.items()}
    return {**joined, "received": received}


def _concatenated(parts):
    arrays = all(isinstance(each, np.ndarray) for each in parts)
    return (np if arrays else ops).concatenate(parts, axis=2)


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
