"""The few things of Keras that layers need and that have no public name."""

from contextlib import contextmanager

import keras
from keras.src.backend import AutocastScope, get_keras_mask, set_keras_mask

__all__ = [
    "computing_in",
    "get_keras_mask",
    "outside_the_compiler",
    "set_keras_mask",
    "stored_value",
    "traced_spec",
]


@contextmanager
def computing_in(layer):
    """Let the layer's weights be read in its compute dtype outside ``__call__``."""
    with AutocastScope(layer.compute_dtype):
        yield


def outside_the_compiler(function):
    """Let torch's compiler step around a function that makes layers of Keras.

    The compiler follows Python line by line and fails inside their constructors.
    """
    if keras.backend.backend() != "torch":
        return function
    import torch

    return torch.compiler.disable(function)


def traced_spec(layer, *args, **kwargs):
    """Symbolic results of a call by running it, as where no shapes are told.

    ``Layer.compute_output_spec`` believes ``compute_output_shape``, which knows of one
    result only.
    """
    return keras.Operation.compute_output_spec(layer, *args, **kwargs)


def stored_value(variable):
    """What a variable holds, whatever a program that is being traced puts in its place.

    None before it is made, and on JAX within ``fit``, which takes the values away.
    """
    return variable._value
