"""What reading should cost: keys left out, and waiting."""

from keras import ops

from regard.core.scores import widen
from regard.losses.alignment_masks import count, mean_over_queries, real_pairs


def doubly_stochastic_penalty(weights, query_mask=None, value_mask=None):
    r"""$\sum_j \big(1 - \sum_i a_{ij}\big)^2$: every key is read once in all.

    Xu et al. 2015, "Show, attend and tell", arXiv:1502.03044, section 4.2.1.

    Args:
        weights: (B, T, S) or (B, H, T, S).
        query_mask: (B, T), True = real.
        value_mask: (B, S), True = real.

    Returns:
        the penalty (B,), a mean over heads.
    """
    weights = widen(ops.convert_to_tensor(weights))
    read = ops.sum(weights * real_pairs(weights, query_mask, None), axis=-2)
    missed = ops.square(1.0 - read)
    if len(missed.shape) == 3:
        missed = ops.mean(missed, axis=1)
    if value_mask is not None:
        missed = missed * ops.cast(value_mask, missed.dtype)
    return ops.sum(missed, axis=-1)


def expected_delay(weights, query_mask=None, value_mask=None):
    r"""$\frac{1}{T} \sum_i \sum_j \frac{j}{S}\, a_{ij}$ with j from 1 to S.

    How much of the memory is read, on the average, before an answer: the average
    proportion of Cho and Esipova 2016, arXiv:1606.02012, with expected places. Mass
    that passed the end of the memory waited for all of it.

    Args:
        weights: a monotonic alignment (B, T, S) or (B, H, T, S).
        query_mask: (B, T), True = real.
        value_mask: (B, S), True = real.

    Returns:
        the delay (B,), between 1/S and 1.
    """
    weights = widen(ops.convert_to_tensor(weights))
    keys = count(value_mask, weights, -1)[:, 0]  # (B, 1)
    place = ops.arange(1, ops.shape(weights)[-1] + 1, dtype=weights.dtype) / keys
    place = ops.minimum(place, 1.0)
    heads = len(weights.shape) == 4
    place = place[:, None, None] if heads else place[:, None]
    passed = 1.0 - ops.sum(weights, axis=-1)
    delay = ops.sum(weights * place, axis=-1) + passed
    return mean_over_queries(delay, query_mask)
