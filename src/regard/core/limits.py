"""Sizes at which one path becomes better than another, measured for each backend.

Elements are float32 numbers of the largest intermediate, over batch and heads.
``benchmarks/run.py`` measures what they rest on.
"""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Limits:
    """Where paths part.

    ``dense``: the most elements worth holding whole. ``block``: the most in one block
    of rows. ``fused``: from how many elements on the fused path pays. ``steps``: into
    how many parts it cuts a triangle of visible pairs.
    """

    dense: int
    block: int
    fused: int
    steps: int = 1


_LIMITS = {
    "jax": Limits(dense=1 << 25, block=1 << 22, fused=1 << 18, steps=2),
    "tensorflow": Limits(dense=1 << 25, block=1 << 22, fused=1 << 22, steps=4),
    "torch": Limits(dense=1 << 25, block=1 << 22, fused=1),
}


def limits() -> Limits:
    """Those of Keras' backend."""
    return _LIMITS.get(keras.backend.backend(), _LIMITS["jax"])
