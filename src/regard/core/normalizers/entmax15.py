"""Half way between softmax and sparsemax, exactly."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, attended, hide, shifted
from regard.core.normalizers.support import at_support, descending, floored


@keras.saving.register_keras_serializable("regard")
class Entmax15(Normalizer):
    r"""$a_j = [s_j/2 - \tau]_+^2$ with $\tau$ such that the row sums to one.

    Between softmax and sparsemax. Peters, Niculae, Martins 2019,
    arXiv:1905.05702.
    """

    name = "entmax15"

    def __call__(self, scores, mask=None, *parameters):
        weights = _entmax15(floored(shifted(scores, mask) / 2, mask))
        return hide(weights, attended(scores, mask))


@ops.custom_gradient
def _entmax15(halves):
    ordered, counts = descending(halves)
    mean = ops.cumsum(ordered, axis=-1) / counts
    mean_square = ops.cumsum(ops.square(ordered), axis=-1) / counts
    spread = (1.0 - counts * (mean_square - ops.square(mean))) / counts
    candidates = mean - ops.sqrt(ops.maximum(spread, 0.0))
    threshold = at_support(candidates, candidates <= ordered)
    roots = ops.maximum(halves - threshold, 0.0)  # square roots of the weights

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        scaled = upstream * roots
        mean_slope = ops.sum(scaled, axis=-1, keepdims=True) / ops.sum(
            roots, axis=-1, keepdims=True
        )
        return 2.0 * (scaled - mean_slope * roots)  # with respect to scores / 2

    return ops.square(roots), gradient
