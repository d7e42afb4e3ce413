"""The closest point of the simplex."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, attended, hide, shifted
from regard.core.normalizers.support import at_support, descending, floored


@keras.saving.register_keras_serializable("regard")
class Sparsemax(Normalizer):
    r"""$a = \arg\min_{p \in \Delta} \lVert p - s \rVert^2$: exact zeros.

    Martins and Astudillo 2016, arXiv:1602.02068.
    """

    name = "sparsemax"

    def __call__(self, scores, mask=None, *parameters):
        weights = _sparsemax(floored(shifted(scores, mask), mask))
        return hide(weights, attended(scores, mask))


@ops.custom_gradient
def _sparsemax(scores):
    ordered, counts = descending(scores)
    excess = (ops.cumsum(ordered, axis=-1) - 1.0) / counts
    threshold = at_support(excess, excess < ordered)
    weights = ops.maximum(scores - threshold, 0.0)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        support = ops.cast(weights > 0, weights.dtype)
        mean = ops.sum(upstream * support, axis=-1, keepdims=True) / ops.sum(
            support, axis=-1, keepdims=True
        )
        return support * (upstream - mean)

    return weights, gradient
