"""What a block does with every place on its own."""

import keras

from regard.layers.weights import check_units, fresh


@keras.saving.register_keras_serializable("regard")
class FeedForward(keras.layers.Layer):
    r"""$f(x W_1 + b_1) W_2 + b_2$, from the width of x to ``units`` and back.

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.3.

    Args:
        units: the width between.
        activation: $f$; the paper has "relu".
        kernel_initializer, bias_initializer: of both layers.

    Raises:
        ValueError: where units is not a positive integer.
    """

    def __init__(
        self,
        units,
        activation="relu",
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_units("units", units)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, inputs_shape):
        self.hidden = self._dense(self.units, "hidden", self.activation)
        self.out = self._dense(inputs_shape[-1], "out", None)
        self.hidden.build(inputs_shape)
        self.out.build((*inputs_shape[:-1], self.units))
        self.built = True

    def _dense(self, units, name, activation):
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=fresh(self.kernel_initializer),
            bias_initializer=fresh(self.bias_initializer),
            name=name,
            dtype=self.dtype_policy,
        )

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        initializers = keras.initializers
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
