"""Joining the traces of batches that follow each other."""

from dataclasses import fields
from typing import Any

import numpy as np

from regard.trace import Trace


def same_lengths(first: Trace, second: Trace) -> bool:
    """Two batches can be joined where only their first axes differ."""
    left, right = first.weights, second.weights
    return left is not None and right is not None and left.shape[1:] == right.shape[1:]


def joined(first: Any, second: Any) -> Trace:
    """One trace of two batches of the same lengths."""
    sizes = len(first.weights), len(second.weights)

    def join(left, right):
        if left is None or right is None or np.ndim(left) < 3:
            return left
        parts = zip((left, right), sizes, strict=True)
        return np.concatenate([np.broadcast_to(p, (n, *p.shape[1:])) for p, n in parts])

    def join_all(left, right):
        return {name: join(left[name], right[name]) for name in left}

    values = {f.name: getattr(first, f.name) for f in fields(Trace)}
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            values[name] = join(value, getattr(second, name))
    values["masks"] = join_all(first.masks, second.masks)
    values["extra"] = join_all(first.extra, second.extra)
    values["inputs"] = join_all(first.inputs, second.inputs)
    return Trace(**values)
