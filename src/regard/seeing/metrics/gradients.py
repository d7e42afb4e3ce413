"""Gradients of a number with respect to arrays, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["gradients"]


def gradients(
    function: Callable[..., Any], arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """∂ ``function(**arrays)`` / ∂ each of ``arrays``, in float64.

    ``function`` gives one number made of tensors. An array that it does not read has
    gradient 0.
    """
    arrays = {name: np.asarray(each, np.float32) for name, each in arrays.items()}
    found = _BACKENDS[keras.backend.backend()](function, arrays)
    return {
        name: np.zeros(arrays[name].shape)
        if each is None
        else np.asarray(ops.convert_to_numpy(each), np.float64)
        for name, each in found.items()
    }


def _jax(function: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict:
    import jax

    def scalar(tensors: dict) -> Any:
        with keras.StatelessScope():  # nothing that is traced stays in a variable
            return function(**tensors)

    tensors = {name: ops.convert_to_tensor(each) for name, each in arrays.items()}
    return jax.grad(scalar)(tensors)


def _tensorflow(function: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict:
    import tensorflow as tf

    tensors = {name: tf.convert_to_tensor(each) for name, each in arrays.items()}
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(list(tensors.values()))
        value = function(**tensors)
    return tape.gradient(value, tensors)


def _torch(function: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict:
    import torch

    tensors = {
        name: ops.convert_to_tensor(each).requires_grad_()
        for name, each in arrays.items()
    }
    with torch.enable_grad():
        value = function(**tensors)
    found = torch.autograd.grad(value, list(tensors.values()), allow_unused=True)
    return dict(zip(tensors, found, strict=True))


_BACKENDS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
