"""Weights over places become probabilities of the words that stand there."""

from typing import Any

import keras
from jaxtyping import Float, Int, Shaped
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of

Tensor = Any
LEAST = 1e-37  # a probability below which logarithms no longer fall


def spread(
    weights: Float[Tensor, "b q k"], ids: Int[Tensor, "b k"], size: int
) -> Float[Tensor, "b q w"]:
    r"""$p_i(w) = \sum_{j:\,w_j = w} a_{ij}$: words that stand twice are added.

    ``ids`` outside of 0..size-1 (such as -1) can never be copied. Weights (B, T, S),
    result (B, T, size) in float32 at least.
    """
    batch, length, places = sizes_of(weights)
    ids = ops.cast(ids, "int32")
    known = ops.logical_and(ids >= 0, ids < size)
    weights = widen(weights)
    weights = ops.where(known[:, None], weights, ops.zeros_like(weights))
    rows = ops.expand_dims(ops.arange(batch, dtype="int32") * size, -1)
    flat = ops.reshape(rows + ops.where(known, ids, ops.zeros_like(ids)), (-1,))
    columns = ops.reshape(ops.swapaxes(weights, 1, 2), (batch * places, length))
    sums = ops.segment_sum(columns, flat, num_segments=batch * size)
    return ops.swapaxes(ops.reshape(sums, (batch, size, length)), 1, 2)


def mixture(
    generated: Float[Tensor, "b q v"],
    copied: Float[Tensor, "b q w"],
    gate: Float[Tensor, "b q 1"] | None = None,
) -> Float[Tensor, "b q w"]:
    """gate * generated + copied, the words beyond the vocabulary being copied only."""
    generated = generated if gate is None else gate * generated
    beyond = copied.shape[-1] - generated.shape[-1]
    return ops.pad(generated, [(0, 0), (0, 0), (0, beyond)]) + copied


def finished(
    probabilities: Shaped[Tensor, "..."], log: bool, dtype: str
) -> Shaped[Tensor, "..."]:
    """Probabilities, or their logarithms, which stay finite where nothing is left."""
    if log:
        probabilities = ops.log(ops.maximum(probabilities, LEAST))
    return ops.cast(probabilities, dtype)


def selective_read(
    value: Float[Tensor, "b k v"],
    weights: Float[Tensor, "b k"],
    ids: Int[Tensor, "b k"],
    word: Int[Tensor, " b"],
) -> Float[Tensor, "b v"]:
    r"""$\zeta = \sum_{j:\,w_j = w} a_j h_j / \sum_{j:\,w_j = w} a_j$; 0 where w is not.

    What the source says about the word just written. Gu, Lu, Li, Li 2016, CopyNet,
    arXiv:1603.06393.

    Args:
        value: source states h (B, S, Dv).
        weights: copy weights a of the step that wrote the word (B, S).
        ids: words w_j of the source (B, S).
        word: the word w written (B,).
    """
    same = ops.equal(ops.cast(ids, "int32"), ops.cast(word, "int32")[:, None])
    value, weights = ops.convert_to_tensor(value), ops.convert_to_tensor(weights)
    kept = ops.where(same, widen(weights), ops.zeros_like(widen(weights)))
    total = ops.sum(kept, axis=-1, keepdims=True)
    shares = kept / ops.where(total == 0, ops.ones_like(total), total)
    return ops.sum(ops.expand_dims(shares, -1) * widen(value), axis=1)


def check_ids(ids: Tensor, batch, length) -> Tensor:
    """Whole numbers (B, S), or an error saying so."""
    ids = ops.convert_to_tensor(ids)
    kind = keras.backend.standardize_dtype(ids.dtype)
    sizes = zip(ids.shape, (batch, length), strict=False)
    known = all(not isinstance(n, int) or m in (None, n) for m, n in sizes)
    if "int" not in kind or len(ids.shape) != 2 or not known:
        raise ValueError(
            "ids must be whole numbers of shape (batch, length) = "
            f"({batch}, {length}), the word at each place of the memory. Got {kind} "
            f"{tuple(ids.shape)}."
        )
    return ids
