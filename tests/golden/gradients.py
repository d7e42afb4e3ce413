"""The gradient of a number with respect to named tensors, on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Tensors = dict[str, Any]


def gradients(function: Callable[[Tensors], Any], at: Tensors) -> dict[str, np.ndarray]:
    """Of ``function(tensors)``, a scalar; what it does not depend on gets zeros."""
    found = _BY_BACKEND[keras.backend.backend()](function, at)
    return {
        name: np.zeros(at[name].shape) if each is None else ops.convert_to_numpy(each)
        for name, each in found.items()
    }


def central_differences(
    function: Callable[[dict[str, np.ndarray]], float], at: dict[str, np.ndarray], name
) -> np.ndarray:
    """The gradient with respect to one array of a float64 function."""
    step = 1e-6
    slope = np.zeros(at[name].shape)
    for place in np.ndindex(slope.shape):
        ends = []
        for sign in (step, -step):
            moved = at[name].astype("float64")
            moved[place] += sign
            ends.append(function({**at, name: moved}))
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    return slope


def _jax(function, at):
    import jax

    return jax.grad(function)(at)


def _tensorflow(function, at):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for tensor in at.values():
            tape.watch(tensor)
        total = function(at)
    return tape.gradient(total, at)


def _torch(function, at):
    import torch

    leaves = {k: v.detach().clone().requires_grad_() for k, v in at.items()}
    found = torch.autograd.grad(
        function(leaves), list(leaves.values()), allow_unused=True
    )
    return {
        name: None if slope is None else slope.detach()
        for name, slope in zip(leaves, found, strict=True)
    }


_BY_BACKEND = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
