"""The alignment error rate of weights, without choosing links first."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from regard.seeing.alignment import AlignmentCounts, Link

__all__ = ["count_weights"]


def count_weights(
    strengths: np.ndarray,
    sure: Collection[Link],
    possible: Collection[Link] = (),
) -> AlignmentCounts:
    """Each link counts as much as it weighs; the ``error_rate`` of it is SAER.

    SAER = 1 − (Σ_S α + Σ_P α) / (Σ α + |S|) over a table ``(target words, source
    words)``; links are (source, target) and sure ones are possible too. As with links,
    add up the counts of a corpus before dividing.

    Tu et al. 2016, "Modeling Coverage for Neural Machine Translation", ACL.
    """
    table = np.asarray(strengths, np.float64)
    certain = set(sure)

    def weight(links: Collection[Link]) -> float:
        return float(sum(table[target, source] for source, target in links))

    return AlignmentCounts(
        float(table.sum()),
        len(certain),
        weight(certain),
        weight(certain | set(possible)),
    )
