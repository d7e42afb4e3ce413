"""What the sparse normalizers share: rows moved to zero, sorted, and their support."""

from typing import Any

from keras import ops

Tensor = Any
# With the row's largest score moved to zero, the support of sparsemax lies above -1,
# and so does that of entmax-1.5 after halving. Whatever is at this floor is outside.
FLOOR = -3.0


def floored(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Move everything certainly outside the support, and the hidden, to the floor."""
    floor = ops.full_like(scores, FLOOR)
    if mask is not None:
        scores = ops.where(mask, scores, floor)
    return ops.where(scores < FLOOR, floor, scores)


def descending(scores):
    """Sorted rows, their cumulative sums' counts 1..S, both float."""
    ordered = ops.flip(ops.sort(scores, axis=-1), axis=-1)
    counts = ops.cast(ops.arange(1, ops.shape(scores)[-1] + 1), ordered.dtype)
    return ordered, counts


def at_support(values, inside):
    """The entry of each row's last position that lies inside the support."""
    size = ops.sum(ops.cast(inside, values.dtype), axis=-1, keepdims=True)
    counts = ops.cast(ops.arange(1, ops.shape(values)[-1] + 1), values.dtype)
    chosen = ops.where(counts == size, values, ops.zeros_like(values))
    return ops.sum(chosen, axis=-1, keepdims=True)
