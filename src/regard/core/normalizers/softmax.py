"""The usual one: exponentials over their sum."""

import keras
from keras import ops

from regard.core.normalizers.part import LOWEST, Normalizer, hide
from regard.core.shapes import is_static


@keras.saving.register_keras_serializable("regard")
class Softmax(Normalizer):
    r"""$a_j = e^{s_j} / \sum_k e^{s_k}$."""

    name = "softmax"
    tables = 2.0

    def __call__(self, scores, mask=None, *parameters):
        if mask is None:
            return _softmax(scores)
        visible = ops.where(mask, scores, LOWEST)
        return hide(_softmax(visible), mask)


def _softmax(scores):
    """By the backend's kernel, whose gradient is one pass; Keras frowns at one key."""
    count = scores.shape[-1]
    if is_static(count) and count == 1:
        return ops.exp(scores - scores)  # NaN stays NaN
    return ops.softmax(scores, axis=-1)
