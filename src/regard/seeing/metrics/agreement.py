"""Whether two explanations rank the tokens of an input alike."""

from __future__ import annotations

import numpy as np

__all__ = ["kendall_tau", "random_tau"]


def kendall_tau(first: np.ndarray, second: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """``(B,)``: Kendall's τ_b of two scores ``(B, S)`` over the valid tokens.

    τ_b = Σ sgn(a_i − a_j) sgn(b_i − b_j) / √(n_a n_b) over the pairs i < j, where n_a
    and n_b count the pairs without a tie. NaN where one score ties all tokens or fewer
    than two are valid.
    """
    return np.array(
        [
            _tau(np.asarray(a)[seen], np.asarray(b)[seen])
            for a, b, seen in zip(first, second, np.asarray(valid, bool), strict=True)
        ]
    )


def random_tau(
    scores: np.ndarray, valid: np.ndarray, draws: int = 200, seed: int = 0
) -> np.ndarray:
    """``(draws,)``: the mean τ over examples of random rankings against ``scores``."""
    rng = np.random.default_rng(seed)
    found = (kendall_tau(rng.random(scores.shape), scores, valid) for _ in range(draws))
    return np.array([_mean(each) for each in found])


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _tau(first: np.ndarray, second: np.ndarray) -> float:
    left, right = (np.sign(each[:, None] - each[None]) for each in (first, second))
    untied = np.sqrt((left**2).sum() * (right**2).sum())
    return float((left * right).sum() / untied) if untied else float("nan")
