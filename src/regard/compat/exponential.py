"""Exponentials over their sum and a little more, as the old pooling layers divide."""

import keras
from keras import ops

from regard.core.normalizers import Normalizer

__all__ = ["Exponential"]


@keras.saving.register_keras_serializable("regard.compat")
class Exponential(Normalizer):
    r"""$a_j = e^{s_j} / (\epsilon + \sum_k e^{s_k})$: rows sum to slightly less than 1.

    A row with nothing to look at is zero. The exponent is not shifted, so scores above
    88 overflow in float32 and a row whose scores are all low loses its weight to
    $\epsilon$.
    """

    name = "exponential"

    def __init__(self, epsilon=1e-7, shift=False):
        self.epsilon = float(epsilon)
        self.shift = bool(shift)

    def __call__(self, scores, mask=None):
        if self.shift:
            scores = scores - ops.max(scores, axis=-1, keepdims=True)
        powers = ops.exp(scores)
        if mask is not None:
            powers = ops.where(mask, powers, ops.zeros_like(powers))
        return powers / (ops.sum(powers, axis=-1, keepdims=True) + self.epsilon)

    def get_config(self):
        return {"epsilon": self.epsilon, "shift": self.shift}
