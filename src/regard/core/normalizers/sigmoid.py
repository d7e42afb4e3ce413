"""Every key on its own: no competition between them."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, hide, visible_count


@keras.saving.register_keras_serializable("regard")
class Sigmoid(Normalizer):
    r"""$a_j = \sigma(s_j + b)$, by default $b = -\ln n$ for the n keys the row sees.

    Rows do not sum to one. The bias keeps the size of the output the same for any
    length; counted over visible keys, padding changes nothing.

    Ramapuram et al. 2024, arXiv:2409.04431 (there n is the length of the sequence).

    Args:
        bias: None for $-\ln n$, or a number.
    """

    name = "sigmoid"
    distribution = False
    shift_invariant = False

    def __init__(self, bias=None):
        self.bias = None if bias is None else float(bias)

    def __call__(self, scores, mask=None, *parameters):
        bias = self.bias
        if bias is None:
            bias = -ops.log(visible_count(scores, mask))
        return hide(ops.sigmoid(scores + bias), mask)

    def get_config(self):
        return {"bias": self.bias}
