"""How even, how alike and how diagonal the rows of one attention map are."""

import numpy as np

_TINY = 1e-12


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
