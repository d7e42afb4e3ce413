"""The exponential as far as its square."""

import math

import keras
from keras import ops

from regard.core.features.part import Feature
from regard.core.scores import widen
from regard.core.shapes import sizes_of


@keras.saving.register_keras_serializable("regard")
class Taylor(Feature):
    r"""$\phi(q)^\top\phi(k) = 1 + s + s^2/2$ for $s = q^\top k/\sqrt d$.

    The first terms of $e^s$, never below one half; $1 + d + d^2$ features, so keys
    should be narrow. Arora et al. 2024, "Simple linear attention language models
    balance the recall-throughput tradeoff" (Based), arXiv:2402.18668.
    """

    name = "taylor"

    def width(self, width):
        return 1 + width + width**2

    def query(self, vectors, *parameters):
        vectors = widen(vectors) * vectors.shape[-1] ** -0.25
        *rest, width = sizes_of(vectors)
        squares = ops.expand_dims(vectors, -1) * ops.expand_dims(vectors, -2)
        squares = ops.reshape(squares, (*rest, width * width)) / math.sqrt(2.0)
        return ops.concatenate(
            [ops.ones_like(vectors[..., :1]), vectors, squares], axis=-1
        )
