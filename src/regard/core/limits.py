"""Sizes at which one path becomes better than another, measured for each backend.

Elements are float32 numbers of the largest intermediate, over batch and heads.
``benchmarks/run.py`` measures what they rest on.
"""

from dataclasses import dataclass

import keras

BAND_GAIN = 4  # how many times fewer keys a block must have for a band to pay
BAND_ROWS = (64, 256)  # the fewest and the most rows in a block of a band


@dataclass(frozen=True)
class Limits:
    """Where paths part.

    ``dense``: the most elements worth holding whole. ``block``: the most in one block
    of rows. ``fused``: from how many elements on the fused path pays. ``steps``: into
    how many parts it cuts a triangle of visible pairs. ``segment``: bytes of a
    recurrence's tensor from which it goes in segments, if at any; torch has memory
    above 32 MiB mapped anew for every operation.
    """

    dense: int
    block: int
    fused: int
    steps: int = 1
    segment: int | None = None


_LIMITS = {
    "jax": Limits(dense=1 << 24, block=1 << 22, fused=1 << 21, steps=2),
    "tensorflow": Limits(dense=1 << 24, block=1 << 22, fused=1 << 22, steps=4),
    "torch": Limits(dense=1 << 24, block=1 << 22, fused=1, segment=1 << 24),
}


def limits() -> Limits:
    """Those of Keras' backend."""
    return _LIMITS.get(keras.backend.backend(), _LIMITS["jax"])


@dataclass(frozen=True)
class Copies:
    """How often a path holds what at once, and bytes besides, as measured.

    ``tables``: the largest intermediate of pairs, None for as many as the normalizer
    says. ``vectors``: projected queries, keys, values and contexts together, or the
    blocks of a band, as they are folded. ``tile``: bytes beside the first table, given
    back before there is another.
    """

    tables: float | None
    vectors: float
    scratch: float = 0.0
    tile: float = 0.0


_COPIES = {
    "jax": {
        "dense": Copies(1.95, 0.9),
        "fused": Copies(0.0, 1.22, 4.2e6),
        "folded": Copies(0.0, 1.2),
    },
    "tensorflow": {
        "dense": Copies(1.9, 0.8),
        "rows": Copies(2.7, 1.85),
        "fused": Copies(0.0, 1.05, 8.4e6),
        "folded": Copies(0.0, 1.5),
    },
    "torch": {
        "dense": Copies(None, 1.0, tile=2.1e6),
        "rows": Copies(2.95, 1.0, 3e6),
        "band": Copies(2.95, 1.0, 3e6),
        "fused": Copies(0.0, 1.3),
        "folded": Copies(0.0, 1.77),
    },
}


def predicted_bytes(path: str, table: float, vectors: float, tables=2.0) -> int:
    """What a forward call adds to a process, from float32 elements.

    ``tables`` of a normalizer are alive at once where operations are not fused.
    """
    copies = _COPIES.get(keras.backend.backend(), _COPIES["jax"])
    # A block of rows, elsewhere, and a band are dense pieces.
    found = copies.get(path, copies["dense"])
    alive = tables if found.tables is None else found.tables
    pairs = max(4 * alive * table, 4 * table + found.tile if table else 0)
    return round(pairs + 4 * found.vectors * vectors + found.scratch)
