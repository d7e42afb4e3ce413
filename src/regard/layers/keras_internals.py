"""The few things of Keras that layers need and that have no public name."""

from contextlib import contextmanager

import keras
from keras.src.backend import AutocastScope, get_keras_mask, set_keras_mask
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.stateless_scope import in_stateless_scope
from keras.src.backend.common.symbolic_scope import in_symbolic_scope

__all__ = [
    "computing_as",
    "computing_in",
    "get_keras_mask",
    "in_stateless_scope",
    "in_symbolic_scope",
    "outside_the_compiler",
    "set_keras_mask",
    "stateless_values",
    "stored_value",
    "traced_spec",
    "training_now",
]


@contextmanager
def computing_in(layer):
    """Let the layer's weights be read in its compute dtype outside ``__call__``."""
    with computing_as(layer.compute_dtype):
        yield


@contextmanager
def computing_as(dtype):
    """Let weights be read in a dtype, as inside a layer of that policy."""
    with AutocastScope(dtype):
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


def stateless_values(variables):
    """What the variables hold here and now, in the dtypes they are stored in."""
    with AutocastScope(None):
        return [each.value for each in variables]


def stored_value(variable):
    """What a variable holds, whatever a program that is being traced puts in its place.

    None before it is made, and on JAX within ``fit``, which takes the values away.
    """
    return variable._value


def training_now():
    """Whether the call that runs now is one of training, said or passed down to it."""
    context = get_global_attribute("current_call_ctx")
    return bool(context is not None and context.get_value("training"))
