r"""What the sparse normalizers share: rows moved to zero, and a search of thresholds.

A threshold solves $F(\tau) = 1$ where F falls and is convex. Newton's steps from the
left never overshoot and need no sorting: each at least quarters the product of what is
missing and of the slope, and most rows settle after five.
"""

from typing import Any

import keras
from keras import ops

from regard.core.normalizers.part import LOWEST, top_of

Tensor = Any
_STEPS = 32  # enough for any row: a step quarters what is at most a billion billion


def from_top(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Scores minus the largest visible one of their row; hidden ones far below."""
    if mask is not None:
        scores = ops.where(mask, scores, ops.full_like(scores, LOWEST))
    return scores - top_of(scores, None)


def threshold(step, scores: Tensor, tolerance: float) -> Tensor:
    """Follow ``step``, what a threshold (…, 1) rises by, from -1 until none rises.

    The largest of ``scores`` is 0, so that a threshold lies in [-1, 0). A row without
    visible scores keeps one below -1, which leaves it empty.
    """
    found = ops.full_like(scores[..., :1], -1.0)
    if _is_traced(scores):
        for _ in range(_STEPS):
            found = found + step(found)
        return found

    def advance(found, rise):
        rise = step(found)
        return found + rise, rise

    return ops.while_loop(
        lambda found, rise: ops.any(rise > tolerance),  # False for rows that are NaN
        advance,
        (found, ops.ones_like(found)),
        maximum_iterations=_STEPS,
    )[0]


def _is_traced(tensor) -> bool:
    """Whether torch writes a graph, which cannot ask how far the rows have come."""
    if keras.backend.backend() != "torch":
        return False
    from regard.core.native.calls import is_traced

    return is_traced(tensor)
