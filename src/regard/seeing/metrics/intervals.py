"""Means of a data set with the interval that resampling its examples gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "bootstrap", "paired"]

_AT_ONCE = 1_000_000  # numbers drawn together


@dataclass(frozen=True)
class Interval:
    """A mean over ``n`` examples, and where it lies in 95 % of the resamples."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}], n = {self.n}"


def bootstrap(
    values: np.ndarray, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The mean of ``values`` ``(n,)`` with its percentile bootstrap interval.

    Examples are drawn n at a time with replacement; ``low`` and ``high`` are the
    quantiles (1 ∓ level)/2 of their means. NaN stands for an example that does not
    count. Without any example all three numbers are NaN.

    Raises:
        ValueError: values that are not one number for each example.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"values must have shape (examples,), one number each. Got {values.shape}."
        )
    values = values[~np.isnan(values)]
    count = len(values)
    if not count:
        return Interval(np.nan, np.nan, np.nan, 0)
    rng, means, step = np.random.default_rng(seed), [], max(1, _AT_ONCE // count)
    for start in range(0, resamples, step):
        drawn = rng.integers(count, size=(min(step, resamples - start), count))
        means.append(values[drawn].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high), count)


def paired(first: np.ndarray, second: np.ndarray, **options) -> Interval:
    """The mean of ``first − second``, resampling pairs of the same example."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            "second must hold a number for each of the same examples as first, "
            f"{first.shape}. Got {second.shape}."
        )
    return bootstrap(first - second, **options)
