"""Layers of anybody's own, made anew from a trace and asked what they give.

A trace holds a layer's settings and weights. Where Keras finds its class, which it does
of its own layers and of registered ones, that is all there is to it.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from regard.layers.decoder_parts import run_cell
from regard.layers.traceable import to_numpy

Array = Any


def can_be_remade(settings: Any) -> bool:
    """Whether Keras finds the class of a layer in the settings."""
    try:
        _layer_of(settings)
    except Exception:  # whatever a stranger's constructor raises
        return False
    return True


def remade(settings: Any, weights: Any, shape: tuple[int, ...]) -> keras.layers.Layer:
    """The layer, built for inputs of a shape, with the weights of the trace."""
    layer = _layer_of(settings)
    if not layer.built:
        layer.build(shape)
        layer.built = True
    prefix = f"{layer.path or layer.name}/"
    for each in layer.weights:
        name = each.path.removeprefix(prefix).replace("/", "_")
        if name in weights.values:  # states of random generators are not kept
            each.assign(weights.values[name])
        elif "float" in str(each.dtype):
            raise ValueError(f"the trace has no weight {name!r} of {layer.name!r}")
    return layer


def _layer_of(settings: Any) -> keras.layers.Layer:
    return keras.saving.deserialize_keras_object(dict(settings.made_of))


def layer_output(settings: Any, weights: Any, inputs: Array, mask: Array) -> Array:
    """What a layer gives for one example (…), its mask (S,) beside it."""
    inputs = np.asarray(inputs, "float32")[None]
    layer = remade(settings, weights, inputs.shape)
    found = layer(inputs, mask=keras.ops.convert_to_tensor(np.asarray(mask)[None]))
    found = found[0] if isinstance(found, (tuple, list)) else found
    return np.asarray(to_numpy(found), "float64")[0]


def remade_cell(
    settings: Any, weights: Any, width: int
) -> tuple[list[int], Callable[[Array, Array], tuple[Array, Array]]]:
    """Widths of a cell's states, and its step: what it gives, states side by side."""
    layer = remade(settings, weights, (1, width))
    widths = [int(each) for each in keras.tree.flatten(layer.state_size)]

    def step(read: Array, state: Array) -> tuple[Array, Array]:
        inputs = keras.ops.convert_to_tensor(np.asarray(read, "float32")[None])
        leaves = np.split(np.asarray(state, "float32")[None], np.cumsum(widths)[:-1], 1)
        leaves = [keras.ops.convert_to_tensor(each) for each in leaves]
        output, states = run_cell(layer, inputs, leaves, False)
        after = np.concatenate([np.asarray(to_numpy(each))[0] for each in states])
        return np.asarray(to_numpy(output), "float64")[0], after.astype("float64")

    return widths, step


# Name -> how it is computed, how written in a formula, whether by whole rows.
REMADE: dict[str, tuple[Any, ...]] = {
    "layer_output": (layer_output, "", True),
    "can_be_remade": (can_be_remade,),
}
