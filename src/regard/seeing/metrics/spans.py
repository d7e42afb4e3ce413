"""How far a map reaches, beside how far a uniform one would."""

from __future__ import annotations

import numpy as np

from regard.seeing.map_measures import checked_map, distributions

__all__ = ["mean_distance", "mean_offset", "span", "uniform_distance"]


def mean_distance(weights: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
    """``(T,)``: D_i = Σ_j α_ij |j − p_i|, the mean distance that a row reads over.

    p_i = i where queries and keys are the same positions, and i (S−1)/(T−1), the
    monotone place, where they are not as many. Weights count over the visible keys.
    """
    weights, allowed = checked_map(weights, allowed)
    return (distributions(weights, allowed) * np.abs(_offsets(weights))).sum(axis=1)


def mean_offset(weights: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
    """``(T,)``: Σ_j α_ij (j − p_i); −1 reads the position before, +1 the next."""
    weights, allowed = checked_map(weights, allowed)
    return (distributions(weights, allowed) * _offsets(weights)).sum(axis=1)


def uniform_distance(allowed: np.ndarray) -> np.ndarray:
    """``(T,)``: D_i of a row that shares its weight equally among what it may see."""
    allowed = np.asarray(allowed, bool)
    return mean_distance(allowed.astype(np.float64), allowed)


def span(
    weights: np.ndarray, allowed: np.ndarray | None = None, mass: float = 0.9
) -> np.ndarray:
    """``(T,)``: the smallest w with Σ_{|j − p_i| ≤ w} α_ij ≥ ``mass``; 0 if empty."""
    weights, allowed = checked_map(weights, allowed)
    visible, distance = distributions(weights, allowed), np.abs(_offsets(weights))
    order = np.argsort(distance, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(visible, order, axis=1), axis=1)
    enough = reached >= mass - 1e-9
    first = np.take_along_axis(distance, order, axis=1)[
        np.arange(len(weights)), enough.argmax(axis=1)
    ]
    return np.where(enough.any(axis=1), first, 0.0)


def _offsets(weights: np.ndarray) -> np.ndarray:
    """``(T, S)``: j − p_i."""
    queries, keys = weights.shape
    places = np.arange(queries) * ((keys - 1) / max(1, queries - 1))
    return np.arange(keys)[None] - places[:, None]
