"""At which steps of a training to look: log-spaced, never more than a few."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_RATIO = 1.2  # of one step to the one before, where no end is known


def next_step(step: int, left: int, end: int | None) -> int:
    """The step to look at after ``step``, with ``left`` of them until ``end``.

    In equal ratios, and a step later at least.
    """
    if end is None:
        return max(step + 1, round(step * _RATIO))
    if left == 1:
        return end
    return max(step + 1, round(step * (end / max(step, 1)) ** (1 / left)))


def thinned(kept: Sequence[Any], limit: int) -> list[Any]:
    """At most ``limit`` of what has a ``step``, the first and the last among them.

    What goes first is what has the nearest neighbours, in ratios.
    """
    kept = list(kept)
    while len(kept) > limit:
        places = np.log1p([each.step for each in kept])
        gaps = places[2:] - places[:-2]
        del kept[1 + int(gaps.argmin())]
    return kept
