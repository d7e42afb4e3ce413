"""Queries as distributions over features."""

import keras
from keras import ops

from regard.core.features.part import Feature
from regard.core.normalizers.part import hide, shifted
from regard.core.scores import widen


@keras.saving.register_keras_serializable("regard")
class SoftmaxFeatures(Feature):
    r"""$\phi(q)$ is a softmax over features, $\phi(k)$ one over positions.

    Rows of scores sum to one by themselves. A key's features depend on all keys, so
    there is no causal form. Shen et al. 2018, "Efficient attention", arXiv:1812.01243,
    section 3.2.
    """

    name = "efficient"

    @property
    def pointwise(self):
        return False

    def query(self, vectors, *parameters):
        return ops.softmax(widen(vectors), axis=-1)

    def key(self, vectors, mask, *parameters):
        across = ops.swapaxes(widen(vectors), -1, -2)  # (B, H, D, S)
        powers = hide(ops.exp(shifted(across, mask)), mask)
        total = ops.sum(powers, axis=-1, keepdims=True)
        safe = ops.where(total == 0, ops.ones_like(total), total)
        return ops.swapaxes(powers / safe, -1, -2)


@keras.saving.register_keras_serializable("regard")
class Exponential(Feature):
    r"""$\phi(q)$ is a softmax over features, $\phi(k) = e^k$: the causal sister.

    Divided by its sum, a row is that of ``SoftmaxFeatures`` over the keys so far. Keys
    above 80 count as 80.
    """

    name = "exponential"

    def query(self, vectors, *parameters):
        return ops.softmax(widen(vectors), axis=-1)

    def key(self, vectors, mask, *parameters):
        return ops.exp(ops.minimum(widen(vectors), 80.0))
