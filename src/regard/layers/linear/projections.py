"""Projections to heads and back, as Keras names and stores them."""

from regard.layers.einsum import einsum_dense
from regard.layers.weights import WeightOptions, check_units

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
    bias = letters if use_bias else None
    equation = f"btd,d{letters}->bt{letters}"
    dense = einsum_dense(layer, name, equation, (None, *shape), bias)
    dense.build((None, None, width))
    return dense


def from_heads(layer, shape, width, use_bias=False):
    """The map ``attention_output`` (B, T, H, D) -> (B, T, width), built."""
    bias, name = "o" if use_bias else None, "attention_output"
    dense = einsum_dense(layer, name, "bthd,hdo->bto", (None, width), bias)
    dense.build((None, None, *shape))
    return dense


def check_sizes(layer, num_heads, key_dim, value_dim, output_shape):
    """Set the sizes every layer with heads has."""
    layer.num_heads = check_units("num_heads", num_heads)
    layer.key_dim = check_units("key_dim", key_dim)
    value_dim = key_dim if value_dim is None else value_dim
    layer.value_dim = check_units("value_dim", value_dim)
    if output_shape is not None:
        output_shape = check_units("output_shape", output_shape)
    layer.output_size = output_shape
