"""What the losses of alignments share: which pairs are real, and means over them."""

from keras import ops


def real_pairs(weights, query_mask, value_mask):
    """1.0 at real pairs, broadcasts to the weights (B, T, S) or (B, H, T, S)."""
    pairs = 1.0
    for mask, axis in ((query_mask, -1), (value_mask, -2)):
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, weights.dtype), axis)
            pairs = pairs * (mask if len(weights.shape) == 3 else mask[:, None])
    return pairs


def mean_over_queries(found, query_mask):
    """(B, T) or (B, H, T) -> (B,): the mean over real queries, and over heads."""
    if len(found.shape) == 3:
        found = ops.mean(found, axis=1)
    if query_mask is None:
        return ops.mean(found, axis=-1)
    real = ops.cast(query_mask, found.dtype)
    total = ops.sum(found * real, axis=-1)
    return total / ops.maximum(ops.sum(real, axis=-1), 1.0)


def count(mask, like, axis):
    """How many places are real, (B, 1, 1) or (1, 1, 1), at least 1."""
    if mask is None:
        length = ops.cast(ops.shape(like)[axis], like.dtype)
        return ops.reshape(length, (1, 1, 1))
    counts = ops.sum(ops.cast(mask, like.dtype), axis=-1)
    return ops.reshape(ops.maximum(counts, 1.0), (-1, 1, 1))
