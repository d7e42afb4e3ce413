"""Attention inside buckets of alike vectors: locality-sensitive hashing."""

from keras import ops

from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen
from regard.core.shapes import sizes_of

SELF = -1e5  # a position looks at itself only where it sees nothing else


def hashed(vectors, rotations):
    """Buckets (B, H, R, T) by the nearest of random directions and their opposites.

    Args:
        vectors: (B, H, T, D).
        rotations: (D, R, buckets / 2).
    """
    rotated = ops.einsum("bhtd,drn->bhrtn", widen(vectors), widen(rotations))
    both = ops.concatenate([rotated, -rotated], axis=-1)
    return ops.cast(ops.argmax(both, axis=-1), "int32")


def keys_of(vectors):
    """The queries' directions: shared queries and keys, of length one."""
    vectors = widen(vectors)
    mean = ops.mean(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(mean + 1e-6) * vectors.shape[-1] ** -0.5


def in_buckets(query, value, buckets, options, mask=None):
    """Contexts (B, H, T, Dv) of every round, joined by how much each saw.

    Positions are sorted by bucket and cut into chunks; a chunk sees itself and its
    neighbours, in one circle through all rounds, as the authors' code has it.

    Args:
        query: shared queries and keys (B, H, T, D).
        value: (B, H, T, Dv).
        buckets: (B, H, R, T).
        options: length of a chunk, chunks before, chunks after, causal.
        mask: (B, T), True = real, or None.
    """
    size, before, after, causal = options
    batch, heads, rounds, length = sizes_of(buckets)
    count = (length + size - 1) // size
    padding = count * size - length
    places = ops.arange(length, dtype="int32")
    order = ops.argsort(ops.cast(buckets, "int32") * length + places, axis=-1)
    back = ops.argsort(order, axis=-1)

    def sorted_chunks(tensor, fill=0):
        """(B, H, T, D) -> (B, H, R * N, C, D)."""
        width = tensor.shape[-1]
        tensor = ops.expand_dims(tensor, 2)
        shape = (batch, heads, rounds, *sizes_of(tensor)[3:])
        tensor = ops.broadcast_to(tensor, shape)
        tensor = ops.take_along_axis(tensor, ops.expand_dims(order, -1), axis=3)
        rows = [(0, 0)] * 3 + [(0, padding), (0, 0)]
        tensor = ops.pad(tensor, rows, constant_values=fill)
        return ops.reshape(tensor, (batch, heads, rounds * count, size, width))

    real = ops.ones((batch, length), "int32") if mask is None else mask
    index = ops.where(ops.cast(real, "bool"), places, -1 - places)
    index = ops.broadcast_to(index[:, None, :, None], (batch, heads, length, 1))
    asked = ops.cast(sorted_chunks(index, fill=-1 - 2**30), "int32")
    q, k, v = (sorted_chunks(each) for each in (widen(query), keys_of(query), value))
    k, v, stored = (_neighbours(each, before, after) for each in (k, widen(v), asked))
    stored = ops.swapaxes(stored, -1, -2)  # (…, 1, seen)
    scores = ops.matmul(q, ops.swapaxes(k, -1, -2))
    seen = ops.logical_and(stored >= 0, _once(rounds * count, size, before, after))
    if causal:
        seen = ops.logical_and(seen, stored <= asked)
    seen = ops.logical_and(seen, asked >= 0)
    scores = ops.where(ops.equal(asked, stored), SELF + 0.0 * scores, scores)
    context, log_sum = _softmax(scores, seen, v)
    flat = (batch, heads, rounds, count * size)
    context = ops.reshape(context, (*flat, value.shape[-1]))[:, :, :, :length]
    log_sum = ops.reshape(log_sum, (*flat, 1))[:, :, :, :length]
    back = ops.expand_dims(back, -1)
    context = ops.take_along_axis(context, back, axis=3)
    log_sum = ops.take_along_axis(log_sum, back, axis=3)
    if buckets.shape[2] == 1:
        return context[:, :, 0]
    share = ops.softmax(log_sum, axis=2)
    return ops.sum(context * share, axis=2)


def _neighbours(chunks, before, after):
    """Each chunk with those before and after it: (…, N, C, D) -> (…, N, C', D)."""
    if before + after == 0:
        return chunks
    shifts = range(before, -after - 1, -1)
    return ops.concatenate([ops.roll(chunks, s, axis=2) for s in shifts], axis=3)


def _once(count, size, before, after):
    """False for a chunk that comes round in the circle a second time, (seen,)."""
    shifts = range(before, -after - 1, -1)
    fresh = []
    for shift in shifts:
        nearer = [each for each in shifts if (abs(each), each) < (abs(shift), shift)]
        again = ops.convert_to_tensor(False)
        for each in nearer:
            same = ops.equal(ops.mod(shift - each, count), 0)
            again = ops.logical_or(again, same)
        fresh.append(ops.logical_not(again))
    return ops.repeat(ops.stack(fresh), size)


def _softmax(scores, seen, value):
    """Contexts and log-sum-exp of rows; nothing seen gives zeros and a lowest sum."""
    seen = ops.broadcast_to(seen, ops.shape(scores))
    visible = ops.where(seen, scores, ops.full_like(scores, LOWEST))
    top = ops.stop_gradient(ops.max(visible, axis=-1, keepdims=True))
    top = ops.where(top <= LOWEST, ops.zeros_like(top), top)
    shifted = ops.where(seen, scores - top, ops.zeros_like(scores))
    powers = ops.where(seen, ops.exp(shifted), ops.zeros_like(scores))
    total = ops.sum(powers, axis=-1, keepdims=True)
    empty = total == 0
    safe = ops.where(empty, ops.ones_like(total), total)
    log_sum = ops.where(empty, ops.full_like(total, -1e9), ops.log(safe) + top)
    return ops.matmul(powers / safe, value), log_sum
