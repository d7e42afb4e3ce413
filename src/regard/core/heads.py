"""Heads that share: products and copies over groups of heads, in blocks.

With H heads and G groups, head h belongs to group h // (H/G): the first H/G heads to
the first group (Llama's order, `repeat`).
"""

from typing import Any

from keras import ops

from regard.core.products import product
from regard.core.shapes import sizes_of

Tensor = Any


def grouped_matmul(left: Tensor, right: Tensor) -> Tensor:
    """``left (B,H,T,X)`` times ``right (B,G,X,Y)``, every head with that of its group.

    The heads of a group become rows of one product, so nothing of ``right`` is copied.
    """
    heads, groups = left.shape[1], right.shape[1]
    if heads == groups or groups is None or heads is None:
        return product(left, right)
    batch, _, length, width = sizes_of(left)
    rows = ops.reshape(left, (batch, groups, heads // groups * length, width))
    found = product(rows, right)  # (B, G, H/G * T, Y)
    return ops.reshape(found, (batch, heads, length, sizes_of(right)[-1]))


def per_map(tensor: Tensor, maps: int) -> Tensor:
    """(B, H, …) -> (B, maps, …) for maps in the order of heads, over and over."""
    heads = tensor.shape[1]
    if heads in (1, maps, None):
        return tensor
    return ops.concatenate([tensor] * (maps // heads), axis=1)


def spread(tensor: Tensor, heads: int) -> Tensor:
    """(B, G, …) -> (B, heads, …), each group repeated in place; one group is left."""
    groups = tensor.shape[1]
    if groups in (1, heads, None):
        return tensor
    return ops.repeat(tensor, heads // groups, axis=1)
