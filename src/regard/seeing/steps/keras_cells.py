"""One step of each of Keras' recurrent cells in NumPy."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from regard.seeing.steps.networks import activation

Array = Any
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
STATES = {"SimpleRNNCell": 1, "GRUCell": 1, "LSTMCell": 2}  # how many each has


def weight(weights: Any, layer: str, name: str) -> Array:
    """That of a layer, found by the end of its path, or None."""
    end = f"{layer}_{name}" if layer else name
    values = weights.values
    found = [v for n, v in values.items() if n == end or n.endswith(f"_{end}")]
    return values.get(end, found[0] if found else None)


def keras_step(
    config: Mapping[str, Any], found: Mapping[str, Array], read: Array, state: Array
) -> tuple[Array, Array]:
    """What a cell gives after one step, and its states side by side."""
    own = np.split(state, len(state) // config["units"])
    states = _STEPS[config["kind"]](config, found, read, *own)
    return states[0], np.concatenate(states)


def _activations(config: Mapping[str, Any]) -> tuple[Any, Any]:
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    bend, opens = (config.get(name, each) for name, each in usual.items())
    return partial(activation, bend), partial(activation, opens)


def _simple(config: Any, p: Any, read: Array, state: Array) -> list[Array]:
    bend, _ = _activations(config)
    total = read @ p["kernel"] + state @ p["recurrent_kernel"] + p["bias"]
    return [bend(total)]


def _gru(config: Any, p: Any, read: Array, state: Array) -> list[Array]:
    """Gates in the order update, reset, candidate."""
    bend, open_ = _activations(config)
    first, second = p["bias"] if np.ndim(p["bias"]) == 2 else (p["bias"], 0.0)
    update_x, reset_x, fresh_x = np.split(read @ p["kernel"] + first, 3)
    kernels = np.split(p["recurrent_kernel"], 3, axis=1)
    second = np.broadcast_to(second, 3 * len(state)).reshape(3, -1)
    update = open_(update_x + state @ kernels[0] + second[0])
    reset = open_(reset_x + state @ kernels[1] + second[1])
    if config.get("reset_after", True):
        fresh = bend(fresh_x + reset * (state @ kernels[2] + second[2]))
    else:
        fresh = bend(fresh_x + (reset * state) @ kernels[2])
    return [update * state + (1.0 - update) * fresh]


def _lstm(config: Any, p: Any, read: Array, state: Array, carry: Array) -> list[Array]:
    """Gates in the order input, forget, cell, output."""
    bend, open_ = _activations(config)
    total = read @ p["kernel"] + state @ p["recurrent_kernel"] + p["bias"]
    enter, keep, fresh, leave = np.split(total, 4)
    carry = open_(keep) * carry + open_(enter) * bend(fresh)
    return [open_(leave) * bend(carry), carry]


_STEPS: Mapping[str, Callable[..., list[Array]]] = {
    "SimpleRNNCell": _simple,
    "GRUCell": _gru,
    "LSTMCell": _lstm,
}
