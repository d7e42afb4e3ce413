"""Projections to heads and back, as Keras names and stores them."""

import keras

from regard.layers.weights import WeightOptions, check_units, fresh

OPTIONS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}


def take_options(options):
    """Take the options of kernels out of keyword arguments."""
    named = {name: options.pop(name, default) for name, default in OPTIONS.items()}
    return WeightOptions(**named)


def to_heads(layer, name, width, shape, use_bias=False):
    """A dense map (B, T, width) -> (B, T, *shape), built; ``shape`` (H, D) or (H,)."""
    letters = "hk"[: len(shape)]
    dense = keras.layers.EinsumDense(
        f"btd,d{letters}->bt{letters}",
        output_shape=(None, *shape),
        bias_axes=letters if use_bias else None,
        name=name,
        dtype=layer.dtype_policy,
        **_kernel(layer),
    )
    dense.build((None, None, width))
    return dense


def from_heads(layer, shape, width, use_bias=False):
    """The map ``attention_output`` (B, T, H, D) -> (B, T, width), built."""
    dense = keras.layers.EinsumDense(
        "bthd,hdo->bto",
        output_shape=(None, width),
        bias_axes="o" if use_bias else None,
        name="attention_output",
        dtype=layer.dtype_policy,
        **_kernel(layer),
    )
    dense.build((None, None, *shape))
    return dense


def _kernel(layer):
    return {name: fresh(each) for name, each in layer.weight_options.options.items()}


def check_sizes(layer, num_heads, key_dim, value_dim, output_shape):
    """Set the sizes every layer with heads has."""
    layer.num_heads = check_units("num_heads", num_heads)
    layer.key_dim = check_units("key_dim", key_dim)
    layer.value_dim = check_units("value_dim", value_dim or key_dim)
    layer.output_size = output_shape and check_units("output_shape", output_shape)
