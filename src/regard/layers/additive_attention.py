"""Bahdanau's additive attention."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.products import product
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class AdditiveAttention(Attention):
    r"""$s_{ij} = v^\top \tanh(W q_i + U k_j + b)$, then normalize and mix the values.

    ``W`` (Dq, units), ``U`` (Dk, units), ``v`` (units,), optional ``b`` (units,). The
    widths of query, key and value and both lengths are free. Output (B, T, Dv).

    Bahdanau, Cho, Bengio 2015, "Neural machine translation by jointly learning to align
    and translate", arXiv:1409.0473, section 3.1 and appendix A.1.2. The paper has no
    bias. With ``normalize=True`` the vector is $g\,v/\lVert v\rVert$ with a learned
    gain $g$, and the bias is on (Salimans and Kingma 2016, arXiv:1602.07868).

    Args:
        units: width of the space in which queries and keys are compared.
        use_bias: add ``b``.
        normalize: weight normalization of ``v``; turns the bias on.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W, U and v.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "additive"
    shares_memory = True
    mixes_values = True

    def __init__(
        self,
        units,
        use_bias=False,
        normalize=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.normalize = bool(normalize)
        self.use_bias = bool(use_bias) or self.normalize
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        kernel = self.weight_options.for_kernel
        shape = (query_width, self.units)
        self.query_kernel = self.add_weight(shape, name="query_kernel", **kernel())
        shape = (key_width, self.units)
        self.key_kernel = self.add_weight(shape, name="key_kernel", **kernel())
        self.score_vector = self.add_weight(
            (self.units,), name="score_vector", **kernel()
        )
        if self.normalize:
            gain = keras.initializers.Constant(self.units**-0.5)
            self.score_gain = self.add_weight((), name="score_gain", initializer=gain)
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")

    def project_query(self, query):
        bias = self.bias if self.use_bias else None
        return with_head(product(query, self.query_kernel, bias))

    def project_memory(self, key, value):
        return with_head(product(key, self.key_kernel)), with_head(value)

    def head_width(self, query_width):
        return self.units

    def recipe(self):
        vector = self.score_vector
        if self.normalize:
            vector = self.score_gain * scores.unit(ops.convert_to_tensor(vector))
        vector = ops.convert_to_tensor(vector)
        return Recipe(scores.additive, self.normalizer, (vector,))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "normalize": self.normalize,
            **self.weight_options.config(),
        }
