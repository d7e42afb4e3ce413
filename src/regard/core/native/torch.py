"""PyTorch: its fused kernel, with a block of rows per mask, or a walk over heads."""

import math
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import pad, scaled_dot_product_attention

from regard.core.native.calls import is_traced, is_transformed, takes_tangents
from regard.core.native.pairs import pairs_of
from regard.core.native.walk import is_faster, walk
from regard.core.scopes import Causal

Tensor = Any
APPLIES = True  # a bias and a scale
MASK = 1 << 27  # entries of a mask made at once


def attend(
    query: Tensor, key: Tensor, value: Tensor, visibility: Any, bias=None, scale=1.0
) -> Tensor:
    """(B,H,T,D), (B,G,S,D), (B,G,S,Dv), bias (B|1,1,1,S) -> context (B,H,T,Dv).

    Products are multiplied by ``scale`` within the kernel, which spares a copy.
    """
    bias = None if bias is None or _adds_nothing(bias) else bias
    length, width = query.shape[2], value.shape[-1]
    tensors, seen = pairs_of(visibility, length, None)
    alike, padding = not (seen.scopes or seen.masks), visibility.masks.get("padding")
    if alike and bias is None and is_faster(query, key, value):
        return walk(query, key, value, padding, scale)
    read = partial(_read, scale=scale)
    widest = max(query.shape[-1], width)  # the kernel wants one width for all
    query, key, value = (_widened(each, widest) for each in (query, key, value))
    if bias is None and _is_causal(visibility, length, key.shape[2]):
        return read(query, key, value, is_causal=True)[..., :width]
    if alike:
        return read(query, key, value, padding, bias)[..., :width]
    rows = max(16, MASK // max(query.shape[0] * key.shape[2], 1))
    found = []
    for start in range(0, length, rows):
        count = min(rows, length - start)
        mask = seen.of(tensors, start, count)
        asked = query[:, :, start : start + count]
        found.append(read(asked, key, value, mask, bias))
    joined = found[0] if len(found) == 1 else torch.cat(found, 2)
    return joined[..., :width]


def _widened(vectors, width):
    """With zeros behind, where they are not as wide: padding by nothing copies."""
    missing = width - vectors.shape[-1]
    return pad(vectors, (0, missing)) if missing else vectors


def _read(query, key, value, mask=None, bias=None, is_causal=False, scale=1.0):
    if bias is not None and mask is not None:  # NaN must not reach what is hidden
        bias = torch.where(mask, bias, -math.inf)
    mask = mask if bias is None else bias
    if mask is not None:
        mask = mask.expand(-1, -1, query.shape[2], key.shape[2])
    shared = query.shape[1] != key.shape[1]
    # Only products and softmax have tangents.
    with sdpa_kernel(SDPBackend.MATH) if takes_tangents() else nullcontext():
        return scaled_dot_product_attention(
            query, key, value, mask, is_causal=is_causal, scale=scale, enable_gqa=shared
        )


def _is_causal(visibility, length, memory):
    """True where nothing hides but the order of one sequence that reads itself."""
    if set(visibility.masks) - {"query"} or length != memory:
        return False
    if list(visibility.scopes.values()) != [Causal()]:
        return False
    return visibility.grid.aligned


def _adds_nothing(bias: Tensor) -> bool:
    """True for a constant bias whose numbers can be looked at and are zero."""
    unknown = is_traced(bias) or is_transformed() or bias.requires_grad
    return not unknown and not bool(bias.any())
