"""Gated attention over a bag of instances."""

import keras
from keras import ops

from regard.core.products import product, squashed
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class GatedPooling(Pooling):
    r"""$e_t = w^\top \big(\tanh(V h_t + b) \odot \sigma(U h_t + d)\big)$.

    ``V``, ``U`` (D, units), ``w`` (units,), ``b``, ``d`` (units,). The gate lifts what
    tanh alone, almost linear near 0, could not tell apart. Input (B, S, D): a bag, in
    no order; output (B, D).

    Ilse, Tomczak, Welling 2018, "Attention-based deep multiple instance learning",
    arXiv:1802.04712 (there without biases).

    Args:
        units: width of the hidden space.
        use_bias: add ``b`` and ``d``.
        gated: without the gate the score is $w^\top \tanh(V h_t + b)$.
        kernel_initializer, kernel_regularizer, kernel_constraint: of V, U and w.
        **options: normalizer, dropout, seed, and those of every layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "gated_pooling"

    def __init__(
        self,
        units,
        use_bias=False,
        gated=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.use_bias, self.gated = bool(use_bias), bool(gated)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, width):
        kernel = self.weight_options.for_kernel
        for name in ("", "gate_") if self.gated else ("",):
            weight = self.add_weight(
                (width, self.units), name=f"{name}kernel", **kernel()
            )
            setattr(self, f"{name}kernel", weight)
            if self.use_bias:
                weight = self.add_weight(
                    (self.units,), name=f"{name}bias", initializer="zeros"
                )
                setattr(self, f"{name}bias", weight)
        shape = (self.units,)
        self.score_vector = self.add_weight(shape, name="score_vector", **kernel())

    def judge(self, inputs, mask):
        hidden = squashed(inputs, self.kernel, self.bias if self.use_bias else None)
        if self.gated:
            bias = self.gate_bias if self.use_bias else None
            hidden = hidden * ops.sigmoid(product(inputs, self.gate_kernel, bias))
        return ops.matmul(hidden, ops.expand_dims(self.score_vector, -1))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "gated": self.gated,
            **self.weight_options.config(),
        }
