"""Whether the tokens that an explanation names are those that the answer needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.metrics.classifier import Classifier
from regard.seeing.metrics.removal import Removal, hidden, predictions

__all__ = ["SHARES", "Faithfulness", "faithfulness", "random_faithfulness"]

SHARES = (0.01, 0.05, 0.10, 0.20, 0.50)


@dataclass(frozen=True)
class Faithfulness:
    """AOPC of each example ``(B,)``; NaN where fewer than two tokens are valid.

    - ``comprehensiveness``: high where the answer needs the tokens named.
    - ``sufficiency``: low where these tokens alone give the same answer.
    - ``comprehensiveness_points``, ``sufficiency_points`` ``(shares, B)``: the drop of
      the probability at each share.
    """

    comprehensiveness_points: np.ndarray
    sufficiency_points: np.ndarray
    distinct: np.ndarray

    @property
    def comprehensiveness(self) -> np.ndarray:
        return self._area(self.comprehensiveness_points)

    @property
    def sufficiency(self) -> np.ndarray:
        return self._area(self.sufficiency_points)

    def _area(self, points: np.ndarray) -> np.ndarray:
        sets = self.distinct.sum(axis=0)
        total = np.where(self.distinct, points, 0.0).sum(axis=0)
        return np.where(sets > 0, total / np.maximum(sets, 1), np.nan)


def faithfulness(
    classifier: Classifier,
    inputs: Any,
    scores: np.ndarray,
    valid: np.ndarray,
    removal: Removal | None = None,
    shares: tuple[float, ...] = SHARES,
) -> Faithfulness:
    """Take away, or leave alone, the tokens that score most.

    With c the class predicted for the whole input and r_k the ⌈k n⌉ tokens that score
    most of n valid ones, at the shares k:

        Comp_k = ŷ_c(x) − ŷ_c(x without r_k),   Suff_k = ŷ_c(x) − ŷ_c(r_k alone)

    AOPC is the mean over the shares given, as in the code of ERASER (the paper divides
    by one more, for k = 0); shares of an example that give the same set count once.

    DeYoung et al. 2020, "ERASER: A Benchmark to Evaluate Rationalized NLP Models", ACL.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with.
        scores: ``(B, S)``, of an explanation.
        valid: ``(B, S)``, True = a token that may be taken away.
        removal: how a token is taken away, by default ``hidden()``.
        shares: k, between 0 and 1.
    """
    removal = hidden() if removal is None else removal
    valid = np.asarray(valid, bool)
    sizes = _sizes(valid, shares)  # (K, B)
    chosen = (_ranks(scores, valid)[None] < sizes[:, :, None]) & valid
    whole = classifier.predict(inputs)
    classes = whole.argmax(axis=1)
    kept = np.concatenate([~chosen, chosen | ~valid])
    needed = valid.sum(axis=1) > 1  # others are left whole, and do not count
    kept |= ~needed[:, None]
    found = predictions(classifier, inputs, kept, removal)
    drops = (whole[None] - found)[:, np.arange(len(classes)), classes]
    distinct = np.diff(sizes, axis=0, prepend=0) > 0
    removed, alone = np.split(drops, 2)
    return Faithfulness(removed, alone, distinct & needed)


def random_faithfulness(
    classifier: Classifier,
    inputs: Any,
    valid: np.ndarray,
    removal: Removal | None = None,
    draws: int = 20,
    seed: int = 0,
) -> list[Faithfulness]:
    """The same for random rankings, the baseline of every explanation."""
    rng = np.random.default_rng(seed)
    return [
        faithfulness(classifier, inputs, rng.random(valid.shape), valid, removal)
        for _ in range(draws)
    ]


def _sizes(valid: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """``(K, B)``: how many tokens each share is of each example, at least 1."""
    if not shares or not all(0 < share < 1 for share in shares):
        raise ValueError(f"shares must lie between 0 and 1. Got {shares}.")
    wanted = np.multiply.outer(sorted(shares), valid.sum(axis=1))
    return np.maximum(1, np.ceil(wanted - 1e-9)).astype(int)


def _ranks(scores: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """``(B, S)``: 0 for the token that scores most; those that are not valid last."""
    ordered = np.argsort(np.where(valid, -np.asarray(scores), np.inf), 1, kind="stable")
    return np.argsort(ordered, axis=1)
