"""One number for each input token: the weight that a layer gave it."""

from __future__ import annotations

from typing import Any

import numpy as np

from regard.seeing.capture import capture
from regard.seeing.joining import joined
from regard.seeing.metrics.classifier import CHUNK, called, count_of, rows_of
from regard.trace import Trace

__all__ = ["received", "trace_of", "visible"]


def received(trace: Trace, heads: Any = None) -> np.ndarray:
    """``(B, S)``: the mean over heads and over the rows that see anything."""
    weights = np.asarray(trace.weights, np.float64)
    seen = visible(trace)
    if heads is not None:
        chosen = np.atleast_1d(heads)
        weights, seen = weights[:, chosen], seen[:, chosen]
    rows = seen.any(axis=-1, keepdims=True)
    total = np.where(seen, weights, 0.0).sum(axis=(1, 2))
    return total / np.maximum(rows.sum(axis=(1, 2)), 1)


def visible(trace: Trace) -> np.ndarray:
    """``(B, H, T, S)``: True = may attend."""
    shape = np.asarray(trace.weights).shape
    return np.broadcast_to(True if trace.mask is None else trace.mask, shape)


def trace_of(model: Any, inputs: Any, layer: str) -> Trace:
    """The only call of a layer while the model reads all the inputs in inference.

    Raises:
        ValueError: a layer that is called more than once, or keeps no weights.
    """
    found: Any = None
    for start in range(0, count_of(inputs), CHUNK):
        with capture(model, layer) as maps:
            called(model, rows_of(inputs, slice(start, start + CHUNK)))
        (calls,) = maps.values()
        if len(calls) != 1 or calls[0].weights is None:
            raise ValueError(
                "layer must read once in a call of the model, with a table of weights. "
                f"Got {layer!r}, which did so {len(calls)} times"
                f"{'' if len(calls) != 1 else ' and kept no weights'}."
            )
        found = calls[0] if found is None else joined(found, calls[0])
    return found
