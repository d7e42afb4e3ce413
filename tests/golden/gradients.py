"""Outputs of a run and gradients of one of them, on every backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

Tensors = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """sum(output * weighting), to be differentiated with respect to these names."""

    output: str
    weighting: Any
    names: tuple[str, ...]


def evaluate(run: Callable[[Tensors], Tensors], given: Tensors, goal: Goal):
    """The outputs of a run, and the slopes of its goal: two dicts of arrays.

    What the goal does not depend on has slope zero. JAX compiles the whole; the other
    backends run it as it is.
    """
    moving = {name: given[name] for name in goal.names}
    fixed = {name: given[name] for name in given if name not in moving}

    def total(at: Tensors, rest: Tensors):
        outputs = run({**rest, **at})
        if not at:
            return 0.0, outputs
        return ops.sum(outputs[goal.output] * goal.weighting), outputs

    outputs, slopes = _BY_BACKEND[keras.backend.backend()](total, moving, fixed)
    arrays = {name: ops.convert_to_numpy(each) for name, each in outputs.items()}
    return arrays, {
        name: np.zeros(given[name].shape)
        if each is None
        else ops.convert_to_numpy(each)
        for name, each in slopes.items()
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


def _jax(total, moving, fixed):
    import jax

    if not moving:
        return jax.jit(total)(moving, fixed)[1], {}
    slope = jax.jit(jax.value_and_grad(total, has_aux=True))
    (_, outputs), slopes = slope(moving, fixed)
    return outputs, slopes


def _tensorflow(total, moving, fixed):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for tensor in moving.values():
            tape.watch(tensor)
        number, outputs = total(moving, fixed)
    return outputs, tape.gradient(number, moving) if moving else {}


def _torch(total, moving, fixed):
    import torch

    leaves = {k: v.detach().clone().requires_grad_() for k, v in moving.items()}
    number, outputs = total(leaves, fixed)
    if not leaves:
        return outputs, {}
    found = torch.autograd.grad(number, list(leaves.values()), allow_unused=True)
    return outputs, dict(zip(leaves, found, strict=True))


_BY_BACKEND = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
