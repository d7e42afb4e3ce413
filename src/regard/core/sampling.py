"""Reading images between their pixels.

Places are (x, y): x counts columns, y rows. In units of the image they run from 0 to 1.
``align_corners`` says what 0 and 1 are: the outer edges of the outer pixels (False, a
pixel i of n lies at (i + 0.5) / n), or their centres (True, i / (n - 1)).
"""

from typing import Any

from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of

Tensor = Any


def as_pixels(places: Tensor, height, width, align_corners: bool = False) -> Tensor:
    """Places (…, 2) from units of the image to numbers of pixels."""
    sizes = ops.cast(ops.stack([width, height]), places.dtype)
    return places * (sizes - 1) if align_corners else places * sizes - 0.5


def bilinear(image: Tensor, places: Tensor) -> Tensor:
    """What lies at places given in pixels; zeros beyond the image.

    Args:
        image: (B, H, W, C).
        places: (B, P, 2).

    Returns:
        (B, P, C), in float32 at least, differentiable in both.
    """
    image, places = widen(image), widen(places)
    batch, height, width, channels = sizes_of(image)
    rows = ops.reshape(image, (batch * height * width, channels))
    corner = ops.stop_gradient(ops.floor(places))
    part = places - corner  # (B, P, 2): how far towards the next pixel
    # A size that TensorFlow does not know beforehand is an int32 tensor.
    last = [ops.cast(size, places.dtype) - 1 for size in (width, height)]
    start = ops.arange(batch, dtype="int32") * height * width
    total = 0.0
    for right in (0, 1):
        for below in (0, 1):
            x, y = corner[..., 0] + right, corner[..., 1] + below
            inside = (x >= 0) & (x <= last[0]) & (y >= 0) & (y <= last[1])
            x = ops.cast(ops.where(inside, x, ops.zeros_like(x)), "int32")
            y = ops.cast(ops.where(inside, y, ops.zeros_like(y)), "int32")
            found = ops.take(rows, start[:, None] + y * width + x, axis=0)
            share = _share(part[..., 0], right) * _share(part[..., 1], below)
            share = ops.where(inside, share, ops.zeros_like(share))
            total = total + found * ops.expand_dims(share, -1)
    return total


def _share(part, far):
    return part if far else 1 - part


def deformable(
    levels: list[Tensor],
    places: Tensor,
    weights: Tensor,
    align_corners: bool = False,
) -> Tensor:
    r"""$c_{ih} = \sum_{lk} a_{ihlk}\, v_{lh}(p_{ihlk})$: a few places read per query.

    Zhu et al. 2020, arXiv:2010.04159, section 4.1, without the projections.

    Args:
        levels: L images (B, H_l, W_l, heads, D).
        places: (B, T, heads, L, K, 2) in units of the images.
        weights: (B, T, heads, L, K).
        align_corners: what 0 and 1 mean.

    Returns:
        (B, T, heads, D).
    """
    batch, queries, heads, _, points, _ = sizes_of(places)
    total = 0.0
    for level, image in enumerate(levels):
        _, height, width, _, size = sizes_of(image)
        apart = ops.transpose(image, (0, 3, 1, 2, 4))
        apart = ops.reshape(apart, (batch * heads, height, width, size))
        at = as_pixels(widen(places[:, :, :, level]), height, width, align_corners)
        at = ops.transpose(at, (0, 2, 1, 3, 4))
        at = ops.reshape(at, (batch * heads, queries * points, 2))
        read = ops.reshape(bilinear(apart, at), (batch, heads, queries, points, size))
        share = ops.transpose(widen(weights[:, :, :, level]), (0, 2, 1, 3))
        total = total + ops.sum(read * ops.expand_dims(share, -1), axis=3)
    return ops.transpose(total, (0, 2, 1, 3))
