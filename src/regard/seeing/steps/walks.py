"""Functions of attention that remembers where it looked, and of memories."""

from math import lgamma
from typing import Any

import numpy as np

Array = Any


def latest(rows: Array, real: Array, start: Array, number: int) -> Array:
    """The last real row before this one, or the start."""
    real = np.broadcast_to(np.ravel(real), len(rows))
    before = np.flatnonzero(real[:number])
    return rows[before[-1]] if len(before) else np.asarray(start)


def beta_binomial(length: int, alpha: float, beta: float) -> Array:
    """The probabilities of 0 to length - 1."""

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    last = length - 1
    ways = [
        lgamma(length) - lgamma(k + 1) - lgamma(last - k + 1) for k in range(length)
    ]
    shifts = [log_beta(k + alpha, last - k + beta) for k in range(length)]
    pairs = zip(ways, shifts, strict=True)
    return np.exp([a + b - log_beta(alpha, beta) for a, b in pairs])


def pushed(weights: Array, chances: Array) -> Array:
    """Each weight moved on by 0, 1, 2, … places with these chances."""
    return np.convolve(weights, chances)[: len(weights)]


def logsumexp(x: Array) -> Array:
    """The logarithm of the sum of exponentials."""
    high = np.max(x)
    return high + np.log(np.sum(np.exp(x - high)))


def nearest(scores: Array, seen: Array, count: int) -> Array:
    """Which of what is seen are among the ``count`` largest."""
    seen = np.broadcast_to(seen, np.shape(scores))
    order = np.argsort(-np.where(seen, scores, -np.inf), kind="stable")
    return seen & np.isin(np.arange(len(scores)), order[:count])


_ALL = (latest, beta_binomial, pushed, logsumexp, nearest)
WALKS = {each.__name__: each for each in _ALL}
