"""How an alignment walks through its memory: speech, series, copying."""

from __future__ import annotations

import numpy as np

__all__ = [
    "coverage",
    "coverage_deviation",
    "focus_rate",
    "groups_of",
    "monotonicity",
]

#: A frame read less than the first is skipped, more than the second repeated.
SKIPPED, REPEATED = 0.1, 2.0


def monotonicity(weights: np.ndarray) -> float:
    """The share of steps with argmax_j α_ij ≥ argmax_j α_{i−1,j}; NaN without a step.

    ``weights`` ``(T, S)``: rows are what is said, columns what is read.
    """
    places = _map(weights).argmax(axis=1)
    return float((np.diff(places) >= 0).mean()) if len(places) > 1 else float("nan")


def coverage(weights: np.ndarray) -> np.ndarray:
    """``(S,)``: Σ_i α_ij; a frame is skipped below SKIPPED, repeated above REPEATED."""
    return _map(weights).sum(axis=0)


def coverage_deviation(weights: np.ndarray) -> float:
    """CDP = −(1/S) Σ_j ln(1 + (1 − Σ_i α_ij)²): 0 where each frame is read once."""
    return float(-np.log1p((1 - coverage(weights)) ** 2).mean())


def groups_of(chosen: np.ndarray) -> int:
    """How many groups of neighbours are True: 2 in 1 1 0 0 1."""
    return int((np.diff(np.asarray(chosen, np.int8), prepend=0) > 0).sum())


def focus_rate(weights: np.ndarray) -> float:
    """mean_i max_j α_ij: 1 where every row reads a single key."""
    return float(_map(weights).max(axis=1).mean())


def _map(weights: np.ndarray) -> np.ndarray:
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 2 or not weights.size:
        raise ValueError(
            f"weights must have shape (query, key), one map. Got {weights.shape}; pick "
            "one example and one head first."
        )
    return weights
