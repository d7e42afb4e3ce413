"""The usual one: exponentials over their sum."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, shifted


@keras.saving.register_keras_serializable("regard")
class Softmax(Normalizer):
    r"""$a_j = e^{s_j} / \sum_k e^{s_k}$."""

    name = "softmax"

    def __call__(self, scores, mask=None, *parameters):
        powers = ops.exp(shifted(scores, mask))
        if mask is not None:
            powers = ops.where(mask, powers, ops.zeros_like(powers))
        total = ops.sum(powers, axis=-1, keepdims=True)
        return powers / ops.where(total == 0, ops.ones_like(total), total)
