"""Luong's location-based attention."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class LocationAttention(Attention):
    r"""$s_{ij} = (W q_i)_j$: the query alone decides the place; the key is not read.

    ``W`` (Dq, maximum_length) has one column for every place of the memory. A shorter
    memory uses the first columns and only its real places share the weight, so padding
    changes nothing. Output (B, T, Dv).

    Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine
    translation", arXiv:1508.04025, section 3.1, equation 8. The paper takes a memory of
    a fixed length.

    Args:
        maximum_length: the longest memory.
        use_bias: add a logit per place.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where the memory is longer than maximum_length.
    """

    mechanism = "location"
    by_column = True

    def __init__(
        self,
        maximum_length,
        use_bias=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.maximum_length = check_units("maximum_length", maximum_length)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        options = self.weight_options.for_kernel()
        shape = (query_width, self.maximum_length)
        self.kernel = self.add_weight(shape, name="kernel", **options)
        if self.use_bias:
            self.bias = self.add_weight(
                (self.maximum_length,), name="bias", initializer="zeros"
            )

    def project_query(self, query):
        logits = ops.matmul(query, self.kernel)
        return with_head(logits + self.bias if self.use_bias else logits)

    def project_memory(self, key, value):
        length = key.shape[1]
        if length is not None and length > self.maximum_length:
            raise ValueError(
                f"the memory must be at most maximum_length = {self.maximum_length} "
                f"long. Got {length}. Build the layer with a larger maximum_length."
            )
        return super().project_memory(key, value)

    def recipe(self):
        return Recipe(scores.location, self.normalizer)

    def get_config(self):
        return {
            **super().get_config(),
            "maximum_length": self.maximum_length,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
