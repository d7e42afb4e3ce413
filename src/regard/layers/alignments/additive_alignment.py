"""Additive scores with features of where earlier steps looked."""

from keras import ops

from regard.core import scores
from regard.core.shapes import with_head
from regard.layers.alignments.alignment import Alignment
from regard.layers.weights import WeightOptions, check_units


class AdditiveAlignment(Alignment):
    r"""$s_{ij} = v^\top \tanh(W q_i + U k_j + f_{ij} + b)$; abstract.

    ``W`` (Dq, units), ``U`` (Dk, units), ``v`` and ``b`` (units,). What a mechanism
    adds are the features ``f`` (B, 1, S, units) of the state.
    """

    def __init__(
        self,
        units,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = self.pairwise_width = check_units("units", units)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        shape = (query_width, self.units)
        self.query_kernel = self.add_kernel("query_kernel", shape)
        self.key_kernel = self.add_kernel("key_kernel", (key_width, self.units))
        self.score_vector = self.add_kernel("score_vector", (self.units,))
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")

    def add_kernel(self, name, shape):
        """A weight under the layer's options for kernels."""
        return self.add_weight(shape, name=name, **self.weight_options.for_kernel())

    def project_query(self, query):
        projected = ops.matmul(query, self.query_kernel)
        return with_head(projected + self.bias if self.use_bias else projected)

    def project_memory(self, key, value):
        return with_head(ops.matmul(key, self.key_kernel)), with_head(value)

    def score(self, look, features=None):
        """Scores (B, 1, 1, S) of one step."""
        key = scores.widen(look.key)
        key = key if features is None else key + features
        return scores.additive(
            look.query, key, ops.convert_to_tensor(self.score_vector)
        )

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
