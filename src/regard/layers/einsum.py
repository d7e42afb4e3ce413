"""Keras' projection by an equation, with the policy and weight options of a layer."""

import keras
from keras import ops

from regard.core.products import projected
from regard.core.shapes import sizes_of
from regard.layers.weights import fresh


def einsum_dense(layer, name, equation, shape, bias_axes, activation=None):
    """An ``EinsumDense`` as a sublayer of ``layer``, not built yet.

    Args:
        layer: gives ``dtype_policy`` and ``weight_options``.
        name: of the sublayer.
        equation: Keras'.
        shape: of the output without the batch.
        bias_axes: letters, None for no bias.
        activation: of the output.
    """
    narrow = bias_axes is not None and len(bias_axes) > 1 and shape[-1] == 1
    kind = NarrowDense if narrow else Projection
    return kind(
        equation,
        output_shape=shape,
        bias_axes=bias_axes,
        activation=activation,
        name=name,
        dtype=layer.dtype_policy,
        **{key: fresh(each) for key, each in layer.weight_options.options.items()},
    )


class Projection(keras.layers.EinsumDense):
    """Keras' ``EinsumDense`` over the last axes of the input, faster on some backends.

    The equation keeps the first two letters of the input and contracts the others.
    """

    def call(self, inputs, training=None):
        outputs = projected(inputs, self.kernel, self.bias)
        if outputs is None:
            return super().call(inputs, training=training)
        return outputs if self.activation is None else self.activation(outputs)

    def quantize(self, mode=None, type_check=True, config=None):
        """As ``EinsumDense``, which this is."""
        super().quantize(mode, type_check=False, config=config)


class NarrowDense(Projection):
    """A projection to heads of width 1, for inputs (B, T, ...).

    Keras' addition on TensorFlow takes a bias (H, 1) for one along axis 1 where the
    length is H. So every place becomes a batch of its own, of length 1.
    """

    def __call__(self, inputs, *args, **kwargs):
        batch, length, *rest = sizes_of(inputs)
        apart = ops.reshape(inputs, (-1, 1, *rest))
        outputs = super().__call__(apart, *args, **kwargs)
        return ops.reshape(outputs, (batch, length, *outputs.shape[2:]))
