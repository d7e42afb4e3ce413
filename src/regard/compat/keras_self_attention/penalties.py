"""Hiding by a large negative number, as the original does it."""

import keras
from keras import ops

__all__ = ["PENALTY", "penalty"]

PENALTY = -1e4


def penalty(allowed):
    """Boolean -> 0 where allowed, -1e4 elsewhere: not quite minus infinity.

    A row where everything is forbidden becomes the softmax of its scores again.
    """
    kind = keras.backend.standardize_dtype(allowed.dtype)
    if kind != "bool":
        raise ValueError(f"allowed must be boolean. Got {kind}.")
    return PENALTY * ops.cast(ops.logical_not(allowed), "float32")
