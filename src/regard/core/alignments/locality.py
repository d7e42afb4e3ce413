"""Scores within a window around a place, and weights that fade away from it."""

from typing import Any

from keras import ops

from regard.core import scores
from regard.core.normalizers.part import LOWEST
from regard.core.shapes import sizes_of

Tensor = Any


def placed(key: Tensor, padding: Tensor | None) -> Tensor:
    """Keys (B, 1, S, D) with two columns behind them: their number and how many.

    Real keys are counted from 0, wherever the padding (B, 1, 1, S) is.
    """
    key = scores.widen(key)
    if padding is None:
        real = ops.ones_like(key[..., :1])
    else:
        real = ops.cast(ops.swapaxes(padding, -1, -2), key.dtype)
        real = ops.broadcast_to(real, (*sizes_of(key)[:-1], 1))
    number = ops.cumsum(real, axis=-2) - 1.0
    count = ops.sum(real, axis=-2, keepdims=True) * ops.ones_like(real)
    return ops.concatenate([key, number, count], axis=-1)


def distances(query: Tensor, key: Tensor, predictive: bool) -> Tensor:
    """j - p (B, 1, T, S) by the last columns of queries and placed keys."""
    place = query[..., -1:]
    number = ops.swapaxes(key[..., -2:-1], -1, -2)
    count = ops.swapaxes(key[..., -1:], -1, -2)
    return number - (place * count if predictive else place)


def local(window: int, predictive: bool):
    r"""$q^\top k$ where $|j - p| \le D$, and no weight elsewhere."""

    def score(query, key):
        found = scores.dot(query[..., :-1], key[..., :-2])
        near = ops.abs(distances(query, key, predictive)) <= window
        return ops.where(near, found, ops.full_like(found, LOWEST))

    return score


def windowed(window: int, predictive: bool):
    r"""No weight where $|j - p| > D$, also in rows that see nothing nearer."""

    def cut(weights, query, key):
        near = ops.abs(distances(query, key, predictive)) <= window
        return ops.where(near, weights, ops.zeros_like(weights))

    return cut


def faded(spread: float, renormalize: bool, window: int):
    r"""$a_j\, e^{-(j - p)^2 / 2 \sigma^2}$, brought back to a sum of one if wanted."""

    def fade(weights, query, key):
        distance = distances(query, key, predictive=True)
        weights = windowed(window, True)(weights, query, key)
        weights = weights * ops.exp(-ops.square(distance / spread) / 2.0)
        if not renormalize:
            return weights
        total = ops.sum(weights, axis=-1, keepdims=True)
        return weights / ops.where(total == 0, ops.ones_like(total), total)

    return fade
