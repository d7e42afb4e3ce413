"""Gradients of a scalar with respect to inputs and weights, on any backend."""

from functools import lru_cache

import keras
import numpy as np


def weight_name(layer, variable):
    """The variable's path below the layer: `score_vector`, `query/kernel`."""
    prefix = f"{layer.path}/" if layer.path else f"{layer.name}/"
    return variable.path.removeprefix(prefix)


def gradients(layer, loss, inputs, fixed=None, again=False):
    """Value and gradients of `loss(**inputs, **fixed)`, made by calling `layer`.

    `inputs` are arrays by name, `fixed` those that no gradient enters. `again` where
    the same loss comes again, to compile it once for all arrays of the same shapes:
    nothing else that it reads may change meanwhile.

    Returns the value, a dictionary with the gradient for each input that is not a whole
    number, and one with the gradient for each trainable weight (by `weight_name`), all
    in NumPy float64. An input that is not read has gradient zero; a weight that no
    gradient reaches has None.
    """
    backend = keras.backend.backend()
    fixed = {**(fixed or {})}
    fixed |= {n: x for n, x in inputs.items() if np.issubdtype(x.dtype, np.integer)}
    fixed = {name: keras.ops.convert_to_tensor(array) for name, array in fixed.items()}
    inputs = {name: array for name, array in inputs.items() if name not in fixed}
    run = _BACKENDS[backend]
    value, for_inputs, for_weights = run(layer, loss, inputs, fixed, again)
    names = [weight_name(layer, each) for each in layer.trainable_variables]
    return (
        float(_numpy(value)),
        {
            name: np.zeros(inputs[name].shape) if each is None else _numpy(each)
            for name, each in for_inputs.items()
        },
        {name: _numpy(each) for name, each in zip(names, for_weights, strict=True)},
    )


def _jax(layer, loss, inputs, fixed, again):
    tensors = {name: keras.ops.convert_to_tensor(x) for name, x in inputs.items()}
    values = [variable.value for variable in layer.trainable_variables]
    program = (_program if again else _program.__wrapped__)(layer, loss)
    value, (for_inputs, for_weights) = program(tensors, values, fixed)
    return value, for_inputs, for_weights


@lru_cache(maxsize=8)
def _program(layer, loss):
    import jax

    variables = list(layer.trainable_variables)

    def scalar(tensors, values, fixed):
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return loss(**tensors, **fixed)

    return jax.jit(jax.value_and_grad(scalar, argnums=(0, 1)))


def _tensorflow(layer, loss, inputs, fixed, again):
    import tensorflow as tf

    tensors = {name: tf.convert_to_tensor(x) for name, x in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(tensors.values()))
        value = loss(**tensors, **fixed)
    values = [variable.value for variable in layer.trainable_variables]
    for_inputs, for_weights = tape.gradient(value, [tensors, values])
    return value, for_inputs, for_weights


def _torch(layer, loss, inputs, fixed, again):
    import torch

    tensors = {
        name: torch.tensor(np.asarray(x), requires_grad=True)
        for name, x in inputs.items()
    }
    values = [variable.value for variable in layer.trainable_variables]
    value = loss(**tensors, **fixed)
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
