"""How much is read again that was read before."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.losses.alignment_masks import mean_over_queries, real_pairs


def coverage_loss(weights, query_mask=None):
    r"""$\sum_j \min(a_{ij}, c_{ij})$ with $c_{ij} = \sum_{i'<i} a_{i'j}$.

    The mean over the real queries of every example: 0 at the first step, at most 1 at
    any. See, Liu, Manning 2017, arXiv:1704.04368, section 2.3; they add it to the loss
    of the words, times 1.

    Args:
        weights: (B, T, S) or (B, H, T, S).
        query_mask: (B, T), True = real.

    Returns:
        the loss (B,).
    """
    weights = widen(ops.convert_to_tensor(weights))
    if query_mask is not None:
        weights = weights * real_pairs(weights, query_mask, None)
    covered = ops.cumsum(weights, axis=-2) - weights
    overlap = ops.sum(ops.minimum(weights, covered), axis=-1)
    return mean_over_queries(overlap, query_mask)


@keras.saving.register_keras_serializable("regard")
class CoverageLoss(keras.losses.Loss):
    r"""$\sum_j \min(a_{ij}, c_{ij})$, for weights that are an output of a model.

    The targets are the mask (B, T) of the queries, 1 = real; see ``coverage_loss``.
    """

    mechanism = "coverage_loss"

    def __init__(self, name="coverage_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        return coverage_loss(y_pred, ops.cast(y_true, "bool"))
