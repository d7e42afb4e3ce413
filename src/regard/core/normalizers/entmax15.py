"""Half way between softmax and sparsemax, exactly."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer
from regard.core.normalizers.support import from_top, threshold

_TINY = 1e-30


@keras.saving.register_keras_serializable("regard")
class Entmax15(Normalizer):
    r"""$a_j = [s_j/2 - \tau]_+^2$ with $\tau$ such that the row sums to one.

    Between softmax and sparsemax. Peters, Niculae, Martins 2019,
    arXiv:1905.05702.
    """

    name = "entmax15"
    tables = 5.0

    def __call__(self, scores, mask=None, *parameters):
        return _entmax15(from_top(scores, mask))


@ops.custom_gradient
def _entmax15(scores):
    halves = scores / 2

    def rise(found):
        """Newton's step for the root of the sum, which is convex as a norm."""
        excess = ops.maximum(halves - found, 0.0)
        norm = ops.sqrt(ops.sum(excess * excess, axis=-1, keepdims=True))
        return (norm - 1.0) * norm / _total(excess)

    roots = ops.maximum(halves - threshold(rise, halves, 1e-6), 0.0)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        scaled = upstream * roots  # the slope of a weight is twice its root
        mean_slope = ops.sum(scaled, axis=-1, keepdims=True) / _total(roots)
        return scaled - mean_slope * roots

    return ops.square(roots), gradient


def _total(roots):
    """The sum of a row, never 0."""
    return ops.maximum(ops.sum(roots, axis=-1, keepdims=True), _TINY)
