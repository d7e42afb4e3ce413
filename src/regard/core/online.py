r"""Exact softmax attention piece by piece: any part of the keys, in any order.

Of the keys read so far three things are kept for every query: the largest score m, the
sum $l = \sum_j e^{s_j - m}$ and the mix $c = \sum_j e^{s_j - m} v_j$. Two such records
merge into that of both parts, so a memory may be cut into chunks, read in any order, or
split over devices. Rabe and Staats 2021, "Self-attention does not need O(n^2) memory",
arXiv:2112.05682, section 2; Dao et al. 2022, "FlashAttention", arXiv:2205.14135.
"""

from dataclasses import dataclass
from typing import Any

import keras
from jaxtyping import Float
from keras import ops

from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen
from regard.core.shapes import is_static, sizes_of

Tensor = Any


@dataclass(frozen=True)
class Partial:
    """What is known of some keys: ``top`` and ``total`` (B,H,T,1), ``mix`` (B,H,T,D).

    A row that has seen nothing has the lowest top, total 0 and mix 0; it adds nothing.
    """

    top: Tensor
    total: Tensor
    mix: Tensor

    def context(self) -> Tensor:
        """What was read, (B, H, T, Dv); zero where nothing was seen."""
        empty = self.total == 0
        safe = ops.where(empty, ops.ones_like(self.total), self.total)
        return ops.where(empty, ops.zeros_like(self.mix), self.mix / safe)

    def log_sum(self) -> Tensor:
        """$\\log\\sum_j e^{s_j}$ (B, H, T, 1), the lowest float where nothing is."""
        empty = self.total == 0
        safe = ops.where(empty, ops.ones_like(self.total), self.total)
        return ops.where(empty, ops.full_like(safe, LOWEST), ops.log(safe) + self.top)


def part(
    scores: Float[Tensor, "b h q k"],
    value: Float[Tensor, "b h k v"],
    mask: Tensor | None = None,
) -> Partial:
    """The record of these keys alone; ``mask`` broadcasts to the scores."""
    scores, value = widen(scores), widen(value)
    if mask is None:
        seen = ops.ones_like(scores, dtype="bool")
    else:
        seen = ops.broadcast_to(mask, ops.shape(scores))
    visible = ops.where(seen, scores, ops.full_like(scores, LOWEST))
    top = ops.stop_gradient(ops.max(visible, axis=-1, keepdims=True, initial=LOWEST))
    # A part that is all hidden has no top: shift it by zero, not by the lowest float.
    base = ops.where(top <= LOWEST, ops.zeros_like(top), top)
    shifted = ops.where(seen, scores - base, ops.zeros_like(scores))
    powers = ops.where(seen, ops.exp(shifted), ops.zeros_like(scores))
    total = ops.sum(powers, axis=-1, keepdims=True)
    return Partial(top, total, ops.matmul(powers, value))


def merge(first: Partial, second: Partial) -> Partial:
    """The record of the keys of both; the order does not matter."""
    top = ops.maximum(first.top, second.top)
    base = ops.where(top <= LOWEST, ops.zeros_like(top), top)
    total, mix = 0.0, 0.0
    for each in (first, second):
        nothing = each.top <= LOWEST
        gap = ops.where(nothing, ops.zeros_like(top), each.top - base)
        factor = ops.where(nothing, ops.zeros_like(top), ops.exp(gap))
        total, mix = total + factor * each.total, mix + factor * each.mix
    return Partial(top, total, mix)


def by_keys(query, key, value, score, mask=None, chunk=128) -> Partial:
    """Read a memory chunk by chunk, keeping one chunk of scores at a time.

    Args:
        query: (B, H, T, D).
        key: (B, H, S, D'), of known length.
        value: (B, H, S, Dv).
        score: ``score(query, key)`` -> (B, H, T, S').
        mask: broadcasts to (B, H, T, S), True = may attend, or None.
        chunk: keys read at once.

    Raises:
        ValueError: where the number of keys is not known.
    """
    length = sizes_of(key)[2]
    if not is_static(length):
        raise ValueError("key must have a known length to be cut. Got None.")

    def one(asked, keys, values, *masks):
        seen = ops.cast(masks[0], "bool") if masks else None
        found = part(score(asked, keys), values, seen)
        return found.top, found.total, found.mix

    found: Partial | None = None
    for start in range(0, length, chunk):
        cut = slice(start, min(start + chunk, length))
        seen = []
        if mask is not None:
            own = mask if mask.shape[-1] == 1 else mask[..., cut]
            seen = [ops.cast(own, "float32")]
        tensors = (query, key[:, :, cut], value[:, :, cut], *seen)
        read = Partial(*keras.remat(one)(*tensors))
        found = read if found is None else merge(found, read)
    return part(score(query, key), value, mask) if found is None else found
