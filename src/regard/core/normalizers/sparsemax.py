"""The closest point of the simplex."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer
from regard.core.normalizers.support import from_top, threshold


@keras.saving.register_keras_serializable("regard")
class Sparsemax(Normalizer):
    r"""$a = \arg\min_{p \in \Delta} \lVert p - s \rVert^2$: exact zeros.

    Martins and Astudillo 2016, arXiv:1602.02068.
    """

    name = "sparsemax"
    tables = 4.0

    def __call__(self, scores, mask=None, *parameters):
        return _sparsemax(from_top(scores, mask))


@ops.custom_gradient
def _sparsemax(scores):
    def rise(found):
        excess = ops.maximum(scores - found, 0.0)
        total = ops.sum(excess, axis=-1, keepdims=True)
        return (total - 1.0) / _size(excess)

    weights = ops.maximum(scores - threshold(rise, scores, 1e-7), 0.0)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        inside = ops.sign(weights)
        seen = inside * upstream
        return seen - inside * (ops.sum(seen, axis=-1, keepdims=True) / _size(weights))

    return weights, gradient


def _size(weights):
    """How many of a row are positive, at least 1."""
    return ops.maximum(ops.sum(ops.sign(weights), axis=-1, keepdims=True), 1.0)
