"""Checks of the masks a caller passes: boolean, True = may attend, of a clear shape."""

from typing import Any

import keras
from keras import ops

from regard.core.shapes import mismatch, rank_of

Tensor = Any


def boolean_mask(mask: Tensor, name: str) -> Tensor:
    """The mask as booleans; a float mask raises, for nobody can tell what it means."""
    mask = ops.convert_to_tensor(mask)
    kind = keras.backend.standardize_dtype(mask.dtype)
    if kind != "bool" and "int" not in kind:
        raise ValueError(
            f"{name} must be boolean or 0/1 integers, True = may attend. Got {kind}. "
            "Compare first (mask > 0), or pass additive values as bias=."
        )
    return mask if kind == "bool" else ops.not_equal(mask, 0)


def position_mask(mask: Tensor, name: str, batch, length) -> Tensor:
    """Check a (batch, length) mask such as value_mask and return booleans."""
    mask = boolean_mask(mask, name)
    if rank_of(mask) != 2 or mismatch(mask.shape, (batch, length), ones=(0,)):
        raise ValueError(
            f"{name} must have shape (batch, length) = ({batch}, {length}). "
            f"Got {tuple(mask.shape)}."
        )
    return mask


def pair_mask(mask: Tensor, name: str, sizes) -> Tensor:
    """Check (T,S), (B,T,S) or (B,H,T,S) and return it with four axes.

    A three-axis mask is always batch first: it is never read as (heads, T, S).
    """
    mask = boolean_mask(mask, name)
    batch, heads, queries, keys = sizes
    rank = rank_of(mask)
    expected = {
        2: (queries, keys),
        3: (batch, queries, keys),
        4: (batch, heads, queries, keys),
    }.get(rank)
    if expected is None or mismatch(mask.shape, expected, ones=range(rank - 1)):
        raise ValueError(
            f"{name} must have shape (query, key) = ({queries}, {keys}), "
            f"(batch, query, key) = ({batch}, {queries}, {keys}) or (batch, heads, "
            f"query, key) = ({batch}, {heads}, {queries}, {keys}), where every axis "
            f"but the last may be 1. Got {tuple(mask.shape)}. A padding mask "
            "(batch, key) goes to value_mask=."
        )
    if rank == 2:
        return ops.expand_dims(ops.expand_dims(mask, 0), 0)
    return ops.expand_dims(mask, 1) if rank == 3 else mask
