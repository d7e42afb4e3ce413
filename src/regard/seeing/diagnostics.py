"""What an attention map looks like, in numbers and in a few words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regard.seeing.map_measures import (
    checked_map,
    distributions,
    effective_positions,
    jensen_shannon,
    normalized_entropy,
    off_diagonality,
)

__all__ = ["Diagnosis", "diagnose"]

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
    - ``leak``: the largest mass that a row puts on masked keys. A row without a visible
      key does not count: Keras' own layers let a masked query read all evenly.
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
    leak = leak[allowed.any(axis=1)]
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
