"""Luong's concatenation attention."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class ConcatAttention(Attention):
    r"""$s_{ij} = v^\top \tanh(W [q_i; k_j])$: one kernel over query and key together.

    ``W`` (Dq + Dk, units), ``v`` (units,). Cut into the rows of the query and those of
    the key, $W[q;k] = W_1 q + W_2 k$, so this is additive attention with another shape
    of weights; nothing is concatenated, which would need B·T·S vectors. Output
    (B, T, Dv).

    Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine
    translation", arXiv:1508.04025, section 3.1.

    Args:
        units: rows of ``v``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W and v.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "concat"
    shares_memory = True
    mixes_values = True

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        kernel = self.weight_options.for_kernel
        self.query_width = query_width
        shape = (query_width + key_width, self.units)
        self.kernel = self.add_weight(shape, name="kernel", **kernel())
        self.score_vector = self.add_weight(
            (self.units,), name="score_vector", **kernel()
        )

    def project_query(self, query):
        kernel = ops.convert_to_tensor(self.kernel)[: self.query_width]
        return with_head(ops.matmul(query, kernel))

    def project_memory(self, key, value):
        kernel = ops.convert_to_tensor(self.kernel)[self.query_width :]
        return with_head(ops.matmul(key, kernel)), with_head(value)

    def head_width(self, query_width):
        return self.units

    def recipe(self):
        vector = ops.convert_to_tensor(self.score_vector)
        return Recipe(scores.additive, self.normalizer, (vector,))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            **self.weight_options.config(),
        }
