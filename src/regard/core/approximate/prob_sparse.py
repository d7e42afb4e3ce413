"""ProbSparse attention: only the queries with something to say look exactly."""

import math

from keras import ops

from regard.core.normalizers import Softmax
from regard.core.normalizers.part import LOWEST
from regard.core.scores import dot, scaled_dot, widen
from regard.core.shapes import is_static, sizes_of

_SOFTMAX = Softmax()


def logarithmic(factor, length):
    """factor * ceil(ln(length)), at least 1 and at most the length."""
    if is_static(length):
        return max(1, min(factor * math.ceil(math.log(max(length, 1))), length))
    logs = ops.ceil(ops.log(ops.cast(length, "float32")))
    return ops.minimum(ops.maximum(factor * ops.cast(logs, "int32"), 1), length)


def evenly(count, length):
    """``count`` places spread over a length."""
    return ops.floor_divide(ops.arange(count, dtype="int32") * length, count)


def sparsity(query, key, sample, key_mask=None):
    r"""$M_i = \max_j s_{ij} - \frac1S\sum_j s_{ij}$ over the sampled keys; (B, H, T).

    Args:
        query: (B, H, T, D).
        key: (B, H, S, D).
        sample: places of keys, the same for all queries (U,) or for each (T, U).
        key_mask: (B, S); hidden keys are not counted.

    As in the authors' code the sum of the sample is divided by the length S.
    """
    memory, together = sizes_of(key)[2], len(sample.shape) == 1
    taken = ops.take(widen(key), sample, axis=2)  # (B, H, U, D) | (B, H, T, U, D)
    if together:
        scores = dot(query, taken)
    else:
        scores = ops.sum(ops.expand_dims(widen(query), 3) * taken, axis=-1)
    highest = scores
    if key_mask is not None:
        seen = ops.take(key_mask, sample, axis=1)  # (B, U) | (B, T, U)
        seen = seen[:, None, None] if together else seen[:, None]
        seen = ops.broadcast_to(seen, ops.shape(scores))
        highest = ops.where(seen, scores, ops.full_like(scores, LOWEST))
        scores = ops.where(seen, scores, ops.zeros_like(scores))
        memory = ops.maximum(ops.sum(ops.cast(key_mask, "int32"), axis=1), 1)
        memory = memory[:, None, None]
    mean = ops.sum(scores, axis=-1) / ops.cast(memory, scores.dtype)
    return ops.max(highest, axis=-1) - mean


def looked(query, key, rows, scale, causal=False, key_mask=None):
    """Softmax weights (B, H, u, S) of the queries at ``rows`` (B, H, u).

    With ``causal`` queries stand at the same places as keys and look back.
    """
    places = ops.expand_dims(rows, -1)
    chosen = ops.take_along_axis(widen(query), places, axis=2)
    scores = scaled_dot(chosen, key, scale)
    seen = None if key_mask is None else key_mask[:, None, None]
    if causal:
        before = ops.arange(ops.shape(key)[2], dtype="int32") <= places
        seen = before if seen is None else ops.logical_and(before, seen)
    if seen is None:
        return _SOFTMAX(scores)
    seen = ops.broadcast_to(seen, ops.shape(scores))
    return _SOFTMAX(ops.where(seen, scores, ops.zeros_like(scores)), seen)


def shares(length, causal=False, others="mean", key_mask=None):
    """How many real keys the other queries may see, (B|1, 1, T|1, 1).

    They read the sum of those values divided by it. With ``others="sum"`` a causal sum
    is not divided, as in the authors' code.
    """
    if key_mask is None:
        ones = ops.ones((1, length), dtype="float32")
    else:
        ones = ops.cast(key_mask, "float32")
    seen = ops.cumsum(ones, axis=1) if causal else ops.sum(ones, 1, keepdims=True)
    if causal and others == "sum":
        seen = ops.ones_like(seen)
    return ops.maximum(seen, 1.0)[:, None, :, None]


def prob_sparse(value, exact, rows, length, count, causal=False):
    """Contexts (B, H, T, Dv): exact at ``rows``, a mean of the values elsewhere.

    Args:
        value: (B, H, S, Dv), zero where hidden.
        exact: weights (B, H, u, S) of the queries at ``rows`` (B, H, u).
        rows: their places.
        length: T.
        count: what ``shares`` returned.
        causal: the others read the values so far.
    """
    value = widen(value)
    if causal:
        others = ops.cumsum(value, axis=2) / count
    else:
        others = ops.sum(value, axis=2, keepdims=True) / count
    there = placed(rows, length)  # (B, H, T, u)
    looking = ops.sum(there, axis=-1, keepdims=True)
    return ops.matmul(there, ops.matmul(exact, value)) + (1.0 - looking) * others


def table(exact, rows, length, count, causal=False, key_mask=None):
    """The weights (B, H, T, S) behind ``prob_sparse``."""
    memory = sizes_of(exact)[3]
    equal = ops.ones((1, 1, length, memory), dtype="float32")
    if causal:
        equal = ops.tril(equal)
    if key_mask is not None:
        equal = equal * ops.cast(key_mask, "float32")[:, None, None]
    there = placed(rows, length)
    looking = ops.sum(there, axis=-1, keepdims=True)
    return ops.matmul(there, exact) + (1.0 - looking) * equal / count


def placed(rows, length):
    """(B, H, u) -> (B, H, T, u), one where a row has its place."""
    places = ops.expand_dims(ops.arange(length, dtype="int32"), -1)
    same = ops.equal(ops.expand_dims(ops.cast(rows, "int32"), 2), places)
    return ops.cast(same, "float32")
