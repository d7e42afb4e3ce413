"""Whether the tokens that an explanation names are those that the answer needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.metrics.classifier import Classifier
from regard.seeing.metrics.removal import Removal, hidden, predictions

__all__ = ["SHARES", "Drops", "comprehensiveness", "over_random", "sufficiency"]

SHARES = (0.01, 0.05, 0.10, 0.20, 0.50)


@dataclass(frozen=True)
class Drops:
    """How far the probability of the class predicted falls, share by share.

    - ``points`` ``(shares, B)``: NaN where a share gives the tokens of the one before.
    - ``area`` ``(B,)``: AOPC, the mean over shares; NaN with fewer than two tokens.

    The mean is over the shares given, as in the code of ERASER (its paper divides by
    one more, for no token at all); tokens that come again count once.
    """

    points: np.ndarray

    @property
    def area(self) -> np.ndarray:
        counted = ~np.isnan(self.points)
        sets = counted.sum(axis=0)
        total = np.where(counted, self.points, 0.0).sum(axis=0)
        return np.where(sets > 0, total / np.maximum(sets, 1), np.nan)


def comprehensiveness(
    classifier: Classifier,
    inputs: Any,
    scores: np.ndarray,
    valid: np.ndarray,
    removal: Removal | None = None,
    shares: tuple[float, ...] = SHARES,
) -> Drops:
    """ŷ_c(x) − ŷ_c(x without r_k): high where the answer needs the tokens named.

    c is the class predicted for the whole input, r_k the ⌈k n⌉ tokens that score most
    of n valid ones, k the shares.

    DeYoung et al. 2020, "ERASER: A Benchmark to Evaluate Rationalized NLP Models", ACL.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with.
        scores: ``(B, S)``, of an explanation.
        valid: ``(B, S)``, True = a token that may be taken away.
        removal: how a token is taken away, by default ``hidden()``.
        shares: k, between 0 and 1.
    """
    chosen, counted = _named(scores, valid, shares)
    return _drops(classifier, inputs, ~chosen, counted, removal)


def sufficiency(
    classifier: Classifier,
    inputs: Any,
    scores: np.ndarray,
    valid: np.ndarray,
    removal: Removal | None = None,
    shares: tuple[float, ...] = SHARES,
) -> Drops:
    """ŷ_c(x) − ŷ_c(r_k alone): low where the tokens named give the same answer.

    As ``comprehensiveness``, with all other valid tokens taken away.
    """
    chosen, counted = _named(scores, valid, shares)
    kept = chosen | ~np.asarray(valid, bool)
    return _drops(classifier, inputs, kept, counted, removal)


def over_random(
    measure: Callable[..., Drops],
    classifier: Classifier,
    inputs: Any,
    valid: np.ndarray,
    removal: Removal | None = None,
    draws: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """``(B,)``: the mean AOPC of random rankings, the baseline of every explanation.

    ``measure`` is ``comprehensiveness`` or ``sufficiency``.
    """
    rng = np.random.default_rng(seed)
    drawn = (
        measure(classifier, inputs, rng.random(valid.shape), valid, removal).area
        for _ in range(draws)
    )
    return np.mean(list(drawn), axis=0)


def _named(
    scores: np.ndarray, valid: np.ndarray, shares: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """``(K, B, S)`` the tokens of each share, ``(K, B)`` which are new ones."""
    if not shares or not all(0 < share < 1 for share in shares):
        raise ValueError(f"shares must lie between 0 and 1. Got {shares}.")
    valid = np.asarray(valid, bool)
    count = valid.sum(axis=1)
    sizes = np.ceil(np.multiply.outer(sorted(shares), count) - 1e-9).astype(int)
    order = np.argsort(np.where(valid, -np.asarray(scores), np.inf), 1, kind="stable")
    ranks = np.argsort(order, axis=1)
    fresh = np.diff(sizes, axis=0, prepend=0) > 0
    return (ranks < sizes[:, :, None]) & valid, fresh & (count > 1)


def _drops(
    classifier: Classifier,
    inputs: Any,
    kept: np.ndarray,
    counted: np.ndarray,
    removal: Removal | None,
) -> Drops:
    """Of the sets ``kept`` ``(K, B, S)`` those that are ``counted`` ``(K, B)``."""
    whole = classifier.predict(inputs)
    classes = whole.argmax(axis=1)
    removal = hidden() if removal is None else removal
    examples = np.nonzero(counted)[1]
    points = np.full(counted.shape, np.nan)
    if len(examples):
        found = predictions(classifier, inputs, examples, kept[counted], removal)
        drops = whole[examples] - found
        points[counted] = drops[np.arange(len(examples)), classes[examples]]
    return Drops(points)
