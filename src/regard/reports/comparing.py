"""How far the rows of two models' maps are from each other."""

from __future__ import annotations

import numpy as np

from regard.reports.packing import number
from regard.reports.record import AttentionRecord
from regard.seeing.map_measures import jensen_shannon

__all__ = ["divergences"]


def divergences(
    first: AttentionRecord, second: AttentionRecord
) -> list[list[float | None]]:
    """The Jensen-Shannon divergence of each row, in nats: 0 alike, ln 2 apart.

    Of each head and, where there are several, last of their means.
    """
    pairs = zip(first.maps(), second.maps(), strict=True)
    return [
        list(map(number, jensen_shannon(*map(_known, (one, two)))))
        for (one, _), (two, _) in pairs
    ]


def _known(weights: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.asarray(weights, np.float64))
