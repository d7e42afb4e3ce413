"""Calling layers with chosen weights, in NumPy."""

import keras
import numpy as np


def numpy(structure):
    if isinstance(structure, (tuple, list)):
        return tuple(numpy(each) for each in structure)
    return np.asarray(keras.ops.convert_to_numpy(structure))


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(layer, *inputs):
    """Make the layer's weights for such inputs, and compute nothing."""
    layer(
        *keras.tree.map_structure(
            lambda array: keras.KerasTensor(
                array.shape, keras.backend.standardize_dtype(array.dtype)
            ),
            inputs,
        )
    )
    return layer


def with_weights(layer, *inputs, **weights):
    """Build the layer on the inputs and set the named weights."""
    built(layer, *inputs)
    for name, array in weights.items():
        owner = layer
        *parts, last = name.split("__")
        for part in parts:
            owner = getattr(owner, part)
        getattr(owner, last).assign(np.asarray(array))
    return layer


def randomized(layer, *inputs, seed=0):
    """Build the layer on the inputs and give it random weights."""
    built(layer, *inputs)
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape, scale=0.7))
    return layer


def read(layer, *inputs, **options):
    """Output and weights."""
    return numpy(layer(*inputs, return_attention_scores=True, **options))


def weigh(name, scores, mask=None):
    """A normalizer on NumPy rows."""
    from regard import normalizers

    mask = None if mask is None else keras.ops.convert_to_tensor(np.asarray(mask))
    scores = keras.ops.convert_to_tensor(np.asarray(scores, "float32"))
    return numpy(normalizers.get(name)(scores, mask))
