"""What an attention map looks like, in numbers and in one word each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Diagnosis",
    "diagnose",
    "effective_positions",
    "jensen_shannon",
    "normalized_entropy",
    "off_diagonality",
]

_TINY = 1e-12
#: At which number a word is said (see `Diagnosis.words`).
THRESHOLDS = {
    "padding leak": 1e-6, "uniform": 0.95, "sink": 0.5, "collapsed": 0.01,
    "offset": 0.8, "diagonal": 0.1,
}  # fmt: skip
_OFFSETS = {-1: "previous token", 0: "same token", 1: "next token"}


@dataclass(frozen=True)
class Diagnosis:
    """One map in numbers. Rows with fewer than two visible keys do not count.

    - ``rows``: how many rows counted; with none of them every number is 0.
    - ``entropy``: mean of H / ln n, 0 = one key, 1 = uniform over n visible keys.
    - ``effective``: mean of exp(H), as if that many keys shared the row equally.
    - ``sink_share``, ``sink_column``: the largest part of all mass in one column.
    - ``spread``: mean Jensen-Shannon divergence of the rows from their mean.
    - ``offset_shares``: how often the largest weight is one before, at, one after.
    - ``off_diagonality``: see the function of that name.
    - ``leak``: the largest mass that a row puts on masked keys.
    - ``finite``: whether every visible weight is a finite number.
    """

    rows: int
    entropy: float
    effective: float
    sink_share: float
    sink_column: int
    spread: float
    offset_shares: dict[int, float]
    off_diagonality: float
    leak: float
    finite: bool

    def words(self, same_sequence: bool = False) -> tuple[str, ...]:
        """What is remarkable, most alarming first; often nothing.

        ``same_sequence`` says that queries and keys are the same tokens; only then
        do "previous token", "same token" and "next token" mean anything.
        """
        said = []
        if not self.finite:
            said.append("not finite")
        if self.leak > THRESHOLDS["padding leak"]:
            said.append("padding leak")
        if not self.rows:
            return tuple(said)
        if self.entropy > THRESHOLDS["uniform"]:
            return (*said, "uniform")
        if self.rows > 1 and self.sink_share > THRESHOLDS["sink"]:
            said.append("sink")
        if self.rows > 1 and self.spread < THRESHOLDS["collapsed"]:
            said.append("collapsed")
        for offset, word in _OFFSETS.items():
            enough = self.offset_shares[offset] > THRESHOLDS["offset"]
            if same_sequence and enough:
                said.append(word)
        if self.rows > 1 and self.off_diagonality < THRESHOLDS["diagonal"]:
            said.append("diagonal")
        return tuple(said)


def diagnose(weights: np.ndarray, allowed: np.ndarray | None = None) -> Diagnosis:
    """Measure one map ``(T, S)``; ``allowed`` ``(T, S)``, True = may attend.

    Raises:
        ValueError: a map that is not two-dimensional, or a mask of another shape.
    """
    weights, allowed = checked_map(weights, allowed)
    leak = np.where(allowed, 0.0, np.nan_to_num(np.abs(weights))).sum(axis=1)
    counted = allowed.sum(axis=1) > 1
    finite = bool(np.isfinite(weights[allowed]).all())
    counted &= np.isfinite(np.where(allowed, weights, 0.0)).all(axis=1)
    visible = distributions(weights, allowed)[counted]
    if not len(visible):
        zeros = dict.fromkeys(_OFFSETS, 0.0)
        nothing = (0.0, 0.0, 0.0, 0, 0.0, zeros, 0.0)
        return Diagnosis(0, *nothing, leak=float(leak.max(initial=0)), finite=finite)
    columns = visible.mean(axis=0)
    offsets = visible.argmax(axis=1) - np.flatnonzero(counted)
    return Diagnosis(
        rows=len(visible),
        entropy=float(normalized_entropy(weights, allowed)[counted].mean()),
        effective=float(effective_positions(weights, allowed)[counted].mean()),
        sink_share=float(columns.max()),
        sink_column=int(columns.argmax()),
        spread=float(jensen_shannon(visible, columns).mean()),
        offset_shares={each: float((offsets == each).mean()) for each in _OFFSETS},
        off_diagonality=float(off_diagonality(weights, allowed)[counted].mean()),
        leak=float(leak.max(initial=0)),
        finite=finite,
    )


def normalized_entropy(
    weights: np.ndarray, allowed: np.ndarray | None = None
) -> np.ndarray:
    """``(T,)``: H_i / ln n_i over the n_i visible keys; 0 where n_i < 2."""
    weights, allowed = checked_map(weights, allowed)
    seen = allowed.sum(axis=1)
    return _entropy(weights, allowed) / np.log(np.maximum(seen, 2)) * (seen > 1)


def effective_positions(
    weights: np.ndarray, allowed: np.ndarray | None = None
) -> np.ndarray:
    """``(T,)``: exp(H_i). 1 = one key, n = uniform over n keys."""
    return np.exp(_entropy(*checked_map(weights, allowed)))


def jensen_shannon(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Divergence of distributions along the last axis, in nats: 0 to ln 2."""
    middle = (first + second) / 2

    def part(each: np.ndarray) -> np.ndarray:
        ratio = np.maximum(each, _TINY) / np.maximum(middle, _TINY)
        return np.sum(each * np.log(ratio), axis=-1)

    return (part(first) + part(second)) / 2


def off_diagonality(
    weights: np.ndarray, allowed: np.ndarray | None = None, width: float = 0.2
) -> np.ndarray:
    """``(T,)``: Σ_j α_ij (1 − exp(−(i/(T−1) − j/(S−1))² / 2g²)), g = ``width``.

    The penalty of Tachibana et al. (ICASSP 2018, guided attention) as an expectation
    over the keys of a row, so that it does not shrink with the length; positions run
    from 0 to 1 on both axes, so that the corners lie on the diagonal.
    """
    weights, allowed = checked_map(weights, allowed)
    queries, keys = weights.shape
    distance = np.linspace(0, 1, queries)[:, None] - np.linspace(0, 1, keys)[None]
    penalty = 1 - np.exp(-(distance**2) / (2 * width**2))
    return (distributions(weights, allowed) * penalty).sum(axis=1)


def _entropy(weights: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    visible = distributions(weights, allowed)
    return -(visible * np.log(np.maximum(visible, _TINY))).sum(axis=1)


def distributions(weights: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Rows over the visible keys, summing to 1 (0 for an empty row)."""
    usable = allowed & np.isfinite(weights)
    visible = np.where(usable, np.maximum(weights, 0.0), 0.0)
    return visible / np.maximum(visible.sum(axis=1, keepdims=True), _TINY)


def checked_map(
    weights: np.ndarray, allowed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 2:
        raise ValueError(
            f"weights must have shape (query, key), one map. Got {weights.shape}; "
            "pick one example and one head first."
        )
    if allowed is None:
        return weights, np.ones(weights.shape, bool)
    allowed = np.asarray(allowed, bool)
    if allowed.shape != weights.shape:
        raise ValueError(
            f"allowed must have the shape of weights, {weights.shape}. "
            f"Got {allowed.shape}."
        )
    return weights, allowed
