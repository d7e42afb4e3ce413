"""A function of tensors under the backend's compiler."""

import keras


def at_once(function):
    """`function` as one program on JAX, elsewhere as it is.

    For sizes and dtypes that little else uses: each operation would be compiled alone.
    """
    if keras.backend.backend() != "jax":
        return function
    return _jax(function)


def compiled(function):
    """`function(**tensors)` compiled: `jax.jit`, XLA in TensorFlow, `torch.compile`."""
    return _BACKENDS[keras.backend.backend()](function)


def _jax(function):
    import jax

    return jax.jit(function)


def _tensorflow(function):
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def _torch(function):
    import torch

    return torch.compile(function)


_BACKENDS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
