"""Queries compete for keys."""

import keras
from keras import ops

from regard.core.normalizers.part import LOWEST, Normalizer, hide


@keras.saving.register_keras_serializable("regard")
class Slot(Normalizer):
    r"""Softmax over the *queries* of each key, then rows divided by their sum.

    $b_{ij} = e^{s_{ij}} / \sum_l e^{s_{lj}},\quad a_{ij} = b_{ij} / (\sum_k b_{ik} +
    \epsilon)$. Every key is shared out among the queries. A row depends on all the
    others, so rows are never walked in blocks.

    Locatello et al. 2020, arXiv:2006.15055.

    Args:
        epsilon: keeps a query without any key defined.
    """

    name = "slot"
    rowwise = False
    shift_invariant = False

    def __init__(self, epsilon=1e-8):
        self.epsilon = float(epsilon)

    def __call__(self, scores, mask=None, *parameters):
        seen = scores
        if mask is not None:
            seen = ops.where(mask, scores, ops.full_like(scores, LOWEST))
        top = ops.max(seen, axis=-2, keepdims=True, initial=LOWEST)
        top = ops.stop_gradient(ops.where(top <= LOWEST, ops.zeros_like(top), top))
        below = scores - top  # at most 0 where visible
        if mask is not None:
            below = ops.where(mask, below, ops.zeros_like(below))
        powers = hide(ops.exp(below), mask)
        columns = ops.sum(powers, axis=-2, keepdims=True)
        columns = ops.where(columns == 0, ops.ones_like(columns), columns)
        shares = hide(powers / columns, mask)  # a NaN stays with those who see it
        return shares / (ops.sum(shares, axis=-1, keepdims=True) + self.epsilon)

    def get_config(self):
        return {"epsilon": self.epsilon}
