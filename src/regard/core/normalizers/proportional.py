"""Weights as shares of a sum."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, hide


@keras.saving.register_keras_serializable("regard")
class Proportional(Normalizer):
    r"""$a_j = [s_j]_+ / (\sum_k [s_k]_+ + \epsilon)$.

    Scores that are products of positive features, as in linear attention, are divided
    by their sum; negative scores get weight 0. Katharopoulos et al. 2020,
    arXiv:2006.16236.

    Args:
        epsilon: added to the sum, 0 or more; with 0 rows sum to exactly one.
    """

    name = "proportional"
    distribution = False
    shift_invariant = False

    def __init__(self, epsilon=1e-6):
        self.epsilon = float(epsilon)
        if self.epsilon < 0:
            raise ValueError(f"epsilon must not be negative. Got {epsilon!r}.")

    def __call__(self, scores, mask=None, *parameters):
        positive = hide(ops.relu(scores), mask)
        return positive * self.share(ops.sum(positive, axis=-1, keepdims=True))

    def share(self, total):
        """What a unit of score counts where a row sums to ``total``."""
        empty = total <= 0
        safe = ops.where(empty, ops.ones_like(total), total + self.epsilon)
        return ops.where(empty, ops.zeros_like(total), 1.0 / safe)

    def get_config(self):
        return {"epsilon": self.epsilon}
