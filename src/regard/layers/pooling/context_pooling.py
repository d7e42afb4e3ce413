"""Pooling by a learned context vector: one level of a hierarchical network."""

import keras
from keras import ops

from regard.core.products import squashed
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class ContextPooling(Pooling):
    r"""$u_t = \tanh(W h_t + b),\ e_t = u^\top u_t,\ c = \sum_t a_t h_t$.

    ``W`` (D, units), ``b`` (units,), the context vector ``u`` (units,), which asks the
    same of everyone: what is informative here? Input (B, S, D), output (B, D).

    Yang et al. 2016, "Hierarchical attention networks for document classification",
    NAACL, section 2.2. ``HierarchicalPooling`` stacks two of these.

    Args:
        units: width of the space in which elements are compared with the context.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W and u.
        **options: normalizer, dropout, seed, and those of every layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "context_pooling"

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
        self.units = check_units("units", units)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, width):
        kernel = self.weight_options.for_kernel
        shape = (width, self.units)
        self.kernel = self.add_weight(shape, name="kernel", **kernel())
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")
        shape = (self.units,)
        self.score_vector = self.add_weight(shape, name="score_vector", **kernel())

    def judge(self, inputs, mask):
        bias = self.bias if self.use_bias else None
        hidden = squashed(inputs, self.kernel, bias)
        return ops.matmul(hidden, ops.expand_dims(self.score_vector, -1))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
