"""Attention by location alone: bells that walk, and a filter that pushes forward."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from keras import ops

from regard.core.alignments.history import shifted

Tensor = Any
NARROWEST = 1e-5  # least width, so that no bell becomes infinitely narrow
LEAST_PRIOR = 1e-6
VERSIONS = ("v0", "v1", "v2", "v2b")


def ranks(mask: Bool[Tensor, "b s"]) -> Float[Tensor, "b s"]:
    """The number of every real key among the real ones, from 0."""
    return ops.cumsum(ops.cast(mask, "float32"), axis=-1) - 1.0


def bells(raw: Float[Tensor, "b three_k"], version: str):
    r"""Amounts, steps and widths (B, K) of a mixture from what a network gave.

    ``v0`` (Graves 2013): amount $e^w$, step $e^d$, width $\sqrt{e^{-s} / 2}$.
    ``v1``: softmax(w), $e^d$, $\sqrt{e^s}$. ``v2``: softmax(w), softplus(d),
    softplus(s). All but v0 divide the amounts by $Z = \sqrt{2 \pi}\, \sigma$.

    Battenberg et al. 2020, arXiv:1910.10288.
    """
    amount, step, width = ops.split(raw, 3, axis=-1)
    if version == "v0":
        width = ops.exp(-0.5 * width) / math.sqrt(2.0)
        return ops.exp(amount), ops.exp(step), ops.maximum(width, NARROWEST)
    amount = ops.softmax(amount, axis=-1)
    if version == "v1":
        step, width = ops.exp(step), ops.exp(0.5 * width)
    else:
        step, width = ops.softplus(step), ops.softplus(width)
    width = ops.maximum(width, NARROWEST)
    return amount / (math.sqrt(2.0 * math.pi) * width), step, width


def mixture_weights(amount, mean, width, places) -> Float[Tensor, "b s"]:
    r"""$a_j = \sum_k \frac{w_k}{Z_k} e^{-(j - \mu_k)^2 / 2 \sigma_k^2}$.

    ``amount``, ``mean`` and ``width`` (B, K), ``places`` (B, S) the numbers j. Graves
    2013, arXiv:1308.0850, section 5.1.
    """
    distance = ops.expand_dims(places, 1) - ops.expand_dims(mean, -1)  # (B, K, S)
    heights = ops.exp(-0.5 * ops.square(distance / ops.expand_dims(width, -1)))
    return ops.sum(ops.expand_dims(amount, -1) * heights, axis=1)


def beta_binomial(length: int, alpha: float, beta: float) -> np.ndarray:
    """The probabilities of 0..length-1, float32: how far an alignment moves on."""

    def log_beta(a, b):
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    last = length - 1
    chances = [
        math.exp(
            math.lgamma(length)
            - math.lgamma(k + 1)
            - math.lgamma(last - k + 1)
            + log_beta(k + alpha, last - k + beta)
            - log_beta(alpha, beta)
        )
        for k in range(length)
    ]
    return np.array(chances, "float32")


def moved_on(previous: Float[Tensor, "b s"], chances) -> Float[Tensor, "b s"]:
    r"""$\ln \sum_k P_k\, a_{j-k}$, at least ln 1e-6: only places ahead are likely."""
    moved = sum(
        float(chance) * shifted(previous, count) for count, chance in enumerate(chances)
    )
    return ops.log(ops.maximum(moved, LEAST_PRIOR))


def dynamically_convolved(
    previous: Float[Tensor, "b s"], filters: Float[Tensor, "b f k"]
) -> Float[Tensor, "b s f"]:
    r"""$g_{jf} = \sum_l G_{fl}\, a_{j + l - \lfloor k/2 \rfloor}$.

    Every example has its own filters.
    """
    size = filters.shape[-1]
    length = ops.shape(previous)[-1]
    padded = ops.pad(previous, [(0, 0), (size // 2, size // 2)])
    windows = [padded[:, tap : tap + length] for tap in range(size)]
    return ops.matmul(ops.stack(windows, axis=-1), ops.swapaxes(filters, 1, 2))
