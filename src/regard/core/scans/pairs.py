"""Inside one chunk every position is compared with those before it."""

from keras import ops


def products(left, right, log_sum, strict=False):
    r"""$P_{ij} = \sum_c l_{ic} r_{jc} e^{b_{ic} - b_{jc}}$ for $j \le i$, else 0.

    Args:
        left: (…, C, K).
        right: (…, C, K).
        log_sum: b, logarithms of the factors summed up to each position: (…, C, K),
            (…, C, 1) where all channels decay alike, None where nothing does.
        strict: leave out j = i.

    The difference is set to zero above the diagonal before it becomes a factor: there
    it is positive and may overflow, and infinity times zero has no gradient.
    """
    size = left.shape[-2]
    below = ops.tril(ops.ones((size, size), left.dtype), -1 if strict else 0)
    if log_sum is None:
        return ops.matmul(left, ops.swapaxes(right, -1, -2)) * below
    if log_sum.shape[-1] == 1:
        gaps = (log_sum - ops.swapaxes(log_sum, -1, -2)) * below
        scores = ops.matmul(left, ops.swapaxes(right, -1, -2))
        return scores * ops.exp(gaps) * below
    gaps = ops.expand_dims(log_sum, -2) - ops.expand_dims(log_sum, -3)
    factors = ops.exp(gaps * ops.expand_dims(below, -1))  # (…, C, C, K)
    pairs = ops.expand_dims(left, -2) * ops.expand_dims(right, -3) * factors
    return ops.sum(pairs, axis=-1) * below
