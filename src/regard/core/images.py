"""Images as (B, H, W, C): what is seen of them, and what is pooled from them.

A mask is boolean (B, H, W), True = a real pixel, or None where all are real. Hidden
pixels hold zeros already. Everything pooled keeps its axes, in float32 at least.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from keras import ops

from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen

Tensor = Any
Axes = int | tuple[int, ...]
PLACES = (1, 2)  # the axes of an image that are not batch or channels


def channels_last(tensor: Tensor, data_format: str) -> Tensor:
    """An image of either layout as (B, H, W, C)."""
    if data_format == "channels_last":
        return tensor
    return ops.transpose(tensor, (0, 2, 3, 1))


def as_given(image: Tensor, data_format: str) -> Tensor:
    """(B, H, W, C) in the layout it came in."""
    if data_format == "channels_last":
        return image
    return ops.transpose(image, (0, 3, 1, 2))


def pixel_count(image: Tensor, mask: Tensor | None, axes: Axes = PLACES) -> Tensor:
    """How many real pixels lie along the axes, at least 1; (B, …, 1)."""
    kind = widen(image).dtype
    if mask is None:
        ones = ops.ones_like(widen(image)[..., :1])
    else:
        ones = ops.cast(ops.expand_dims(mask, -1), kind)
    return ops.maximum(ops.sum(ones, axis=axes, keepdims=True), 1.0)


def mean_over(image: Tensor, mask: Tensor | None, axes: Axes = PLACES) -> Tensor:
    """The mean of the real pixels along the axes, 0 where there are none."""
    total = ops.sum(widen(image), axis=axes, keepdims=True)
    return total / pixel_count(image, mask, axes)


def max_over(image: Tensor, mask: Tensor | None, axes: Axes = PLACES) -> Tensor:
    """The largest value of each channel over the real pixels, 0 where none is."""
    top = ops.max(_lowered(image, mask), axis=axes, keepdims=True)
    return ops.where(top <= LOWEST, ops.zeros_like(top), top)


def length_over(image: Tensor, mask: Tensor | None, axes: Axes = PLACES) -> Tensor:
    """The Euclidean length of each channel over the pixels; gradient 0 at 0."""
    squares = ops.sum(ops.square(widen(image)), axis=axes, keepdims=True)
    some = squares > 0
    return ops.where(some, ops.sqrt(ops.where(some, squares, 1.0)), 0.0)


def soft_maximum_over(
    image: Tensor, mask: Tensor | None, axes: Axes = PLACES
) -> Tensor:
    """log sum exp of each channel over the real pixels, 0 where there are none."""
    image = widen(image)
    top = ops.stop_gradient(max_over(image, mask, axes))
    powers = ops.exp(image - top)
    if mask is not None:
        shown = ops.expand_dims(mask, -1)
        powers = ops.where(shown, powers, ops.zeros_like(powers))
    total = ops.sum(powers, axis=axes, keepdims=True)
    some = total > 0
    return ops.where(some, top + ops.log(ops.where(some, total, 1.0)), 0.0)


def _lowered(image, mask):
    """The image with hidden pixels below everything."""
    image = widen(image)
    if mask is None:
        return image
    return ops.where(ops.expand_dims(mask, -1), image, ops.full_like(image, LOWEST))


POOLS: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "average": mean_over,
        "max": max_over,
        "length": length_over,
        "log_sum_exp": soft_maximum_over,
    }
)
