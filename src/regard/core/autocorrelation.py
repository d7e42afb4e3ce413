"""Which delays a series repeats itself at, and reading it at those delays."""

import math
from typing import Any

from jaxtyping import Float, Int
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of

Tensor = Any


def correlation(
    query: Float[Tensor, "b h t d"], key: Float[Tensor, "b h t d"], points=None
) -> Float[Tensor, "b h d _"]:
    r"""$r_\delta = \sum_t q_t k_{t - \delta}$, of every feature and delay at once.

    By the theorem of Wiener and Khinchin: the product of one spectrum with the
    conjugate of the other, back in time. Time is a circle.

    ``query``, ``key`` (B, H, T, D); ``points`` is how many delays the inverse transform
    returns, by default T.
    """
    length = query.shape[2]
    real, imaginary = ops.rfft(ops.swapaxes(widen(query), -1, -2))
    others = ops.rfft(ops.swapaxes(widen(key), -1, -2))
    spectrum = (
        real * others[0] + imaginary * others[1],
        imaginary * others[0] - real * others[1],
    )
    return ops.irfft(spectrum, fft_length=points or length)


def delays(
    strength: Float[Tensor, "b t"], count: int, shared: bool
) -> tuple[Float[Tensor, "b k"], Int[Tensor, "b k"]]:
    """The ``count`` strongest delays and their softmax weights.

    Args:
        strength: mean correlation at every delay (B, T).
        count: k, see ``number_of_delays``.
        shared: one choice of delays for the whole batch, as in training; the weights
            are those of each example either way.
    """
    if shared:
        _, chosen = ops.top_k(ops.mean(strength, axis=0, keepdims=True), count)
        chosen = ops.broadcast_to(chosen, (sizes_of(strength)[0], count))
    else:
        _, chosen = ops.top_k(strength, count)
    chosen = ops.cast(chosen, "int32")
    return ops.softmax(ops.take_along_axis(strength, chosen, axis=-1)), chosen


def number_of_delays(length: int, factor: float) -> int:
    """floor(c ln T), at least 1 and at most T."""
    return max(1, min(length, int(factor * math.log(length))))


def read_delayed(
    value: Float[Tensor, "b h t d"],
    weights: Float[Tensor, "b k"],
    chosen: Int[Tensor, "b k"],
) -> Float[Tensor, "b h t d"]:
    r"""$y_t = \sum_i w_i\, v_{(t + \delta_i) \bmod T}$."""
    length = value.shape[2]
    steps = ops.arange(length, dtype="int32")
    total = ops.zeros_like(value)
    for i in range(chosen.shape[-1]):
        places = (steps + chosen[:, i : i + 1]) % length  # (B, T)
        places = ops.broadcast_to(places[:, None, :, None], ops.shape(value))
        weight = ops.cast(weights[:, i], value.dtype)[:, None, None, None]
        total = total + weight * ops.take_along_axis(value, places, axis=2)
    return total
