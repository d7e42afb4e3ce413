"""Luong's general (bilinear) attention."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class GeneralAttention(Attention):
    r"""$s_{ij} = q_i^\top W k_j$ with ``W`` (Dq, Dk).

    Keys are projected once, $W k_j$, and compared by a product, so widths are free.
    Output (B, T, Dv).

    Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine
    translation", arXiv:1508.04025, section 3.1.

    Args:
        kernel_initializer, kernel_regularizer, kernel_constraint: of W.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where an option is unknown.
    """

    mechanism = "general"
    shares_memory = True
    mixes_values = True

    def __init__(
        self,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        options = self.weight_options.for_kernel()
        shape = (query_width, key_width)
        self.kernel = self.add_weight(shape, name="kernel", **options)

    def project_memory(self, key, value):
        kernel = ops.transpose(ops.convert_to_tensor(self.kernel))
        return with_head(ops.matmul(key, kernel)), with_head(value)

    def recipe(self):
        return Recipe(scores.dot, self.normalizer)

    def get_config(self):
        return {**super().get_config(), **self.weight_options.config()}
