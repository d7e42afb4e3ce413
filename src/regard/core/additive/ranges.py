"""Moving queries and keys to where their powers neither overflow nor vanish."""

from typing import Any

from keras import ops

Tensor = Any
FAR = 10.0  # tanh(10) = 1 - 4e-9 is 1 in float32, with a gradient of 8e-9
REACH = 21.0  # e^(2 * 2 * 21) is still a float32: the product of two denominators


def settled(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries (T, D) and keys (S, D) with the same tanh of sums, and whether they fit.

    Every unit is cut where it is FAR beyond all it can meet, which changes nothing, and
    queries and keys are moved against each other until queries lie around zero. They
    fit where then no sum exceeds REACH: where one side of every unit is less than 11
    wide. NaN never fits.
    """
    low, high = ops.min(key, axis=0), ops.max(key, axis=0)
    near = ops.minimum(ops.maximum(query, -high - FAR), FAR - low)
    bottom, top = ops.min(near, axis=0), ops.max(near, axis=0)
    met = ops.minimum(ops.maximum(key, -top - FAR), FAR - bottom)
    reach = ops.maximum(top + ops.max(met, axis=0), -bottom - ops.min(met, axis=0))
    known = ops.isfinite(ops.sum(query) + ops.sum(key))
    fits = ops.logical_and(ops.all(reach <= REACH), known)
    middle = (top + bottom) / 2
    return near - middle, met + middle, fits
