"""Where earlier steps looked: the start of it, and features made from it."""

from typing import Any

from jaxtyping import Bool, Float
from keras import ops

from regard.core.scores import widen

Tensor = Any
STARTS = ("zero", "uniform", "first")


def start_at(mask: Bool[Tensor, "b s"], kind: str) -> Float[Tensor, "b 1 s"]:
    """The weights before the first step, in float32.

    ``zero`` nowhere; ``uniform`` on all real keys alike; ``first`` on the first of
    them. A memory without a real key has zeros.
    """
    real = ops.cast(mask, "float32")
    if kind == "zero":
        start = ops.zeros_like(real)
    elif kind == "uniform":
        count = ops.sum(real, axis=-1, keepdims=True)
        start = real / ops.maximum(count, 1.0)
    else:
        start = real * ops.cast(ops.equal(ops.cumsum(real, axis=-1), 1), "float32")
    return ops.expand_dims(start, 1)


def shifted(weights: Float[Tensor, "*b s"], count: int = 1) -> Float[Tensor, "*b s"]:
    """Every weight moved ``count`` keys onwards; zeros come in at the front."""
    widths = [(0, 0)] * (len(weights.shape) - 1) + [(count, 0)]
    return ops.pad(weights, widths)[..., : ops.shape(weights)[-1]]


def convolved(
    history: Float[Tensor, "b c s"], filters: Float[Tensor, "k c f"]
) -> Float[Tensor, "b s f"]:
    r"""$f_j = \sum_{c,l} F_{l c}\, h_{c,\,j + l - \lfloor k/2 \rfloor}$.

    ``history`` has a channel for each kind of memory of earlier weights; zeros lie
    beyond both ends. Chorowski et al. 2015, arXiv:1506.07503.
    """
    channels_last = ops.swapaxes(history, 1, 2)
    return ops.conv(
        channels_last,
        widen(filters),
        strides=1,
        padding="same",
        data_format="channels_last",
    )
