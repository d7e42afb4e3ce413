"""Gradients of a scalar with respect to inputs and weights, on any backend."""

import keras
import numpy as np


def weight_name(layer, variable):
    """The variable's path below the layer: `score_vector`, `query/kernel`."""
    prefix = f"{layer.path}/" if layer.path else f"{layer.name}/"
    return variable.path.removeprefix(prefix)


def gradients(layer, loss, inputs):
    """Value and gradients of `loss(**inputs)`, a scalar made by calling `layer`.

    `inputs` are arrays by name. Returns the value, a dictionary with the gradient for
    each input that is not a whole number, and one with the gradient for each trainable
    weight (by `weight_name`), all in NumPy float64. An input that is not read has
    gradient zero; a weight that no gradient reaches has None.
    """
    backend = keras.backend.backend()
    variables = list(layer.trainable_variables)
    whole = {n: x for n, x in inputs.items() if np.issubdtype(x.dtype, np.integer)}
    inputs = {name: array for name, array in inputs.items() if name not in whole}

    def moving(**tensors):
        return loss(**tensors, **whole)

    value, for_inputs, for_weights = _BACKENDS[backend](variables, moving, inputs)
    names = [weight_name(layer, variable) for variable in variables]
    return (
        float(_numpy(value)),
        {
            name: np.zeros(inputs[name].shape) if each is None else _numpy(each)
            for name, each in for_inputs.items()
        },
        {name: _numpy(each) for name, each in zip(names, for_weights, strict=True)},
    )


def _jax(variables, loss, inputs):
    import jax

    def scalar(tensors, values):
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return loss(**tensors)

    tensors = {name: keras.ops.convert_to_tensor(x) for name, x in inputs.items()}
    values = [variable.value for variable in variables]
    both = jax.jit(jax.value_and_grad(scalar, argnums=(0, 1)))
    value, (for_inputs, for_weights) = both(tensors, values)
    return value, for_inputs, for_weights


def _tensorflow(variables, loss, inputs):
    import tensorflow as tf

    tensors = {name: tf.convert_to_tensor(x) for name, x in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(tensors.values()))
        value = loss(**tensors)
    values = [variable.value for variable in variables]
    for_inputs, for_weights = tape.gradient(value, [tensors, values])
    return value, for_inputs, for_weights


def _torch(variables, loss, inputs):
    import torch

    tensors = {
        name: torch.tensor(np.asarray(x), requires_grad=True)
        for name, x in inputs.items()
    }
    values = [variable.value for variable in variables]
    value = loss(**tensors)
    found = torch.autograd.grad(value, [*tensors.values(), *values], allow_unused=True)
    for_inputs = dict(zip(tensors, found, strict=False))
    return value, for_inputs, list(found[len(tensors) :])


_BACKENDS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}


def _numpy(tensor):
    if tensor is None:
        return None
    return np.asarray(
        keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")), "float64"
    )
