"""Keras' recurrent cells in NumPy, by their settings and weights."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Array = Any
_ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "linear": lambda x: x,
}
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_STATES = {"SimpleRNNCell": 1, "GRUCell": 1, "LSTMCell": 2}


def known_cell(settings: Any) -> bool:
    """Whether it is, or is stacked of, Keras' cells with activations known here."""
    return all(
        kind in _STATES
        and config.get("activation", "tanh") in _ACTIVATIONS
        and config.get("recurrent_activation", "sigmoid") in _ACTIVATIONS
        for kind, config in _cells(settings)
    )


def cell(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array = ()
) -> Array:
    """The states after one step, side by side as before it.

    ``beside``: what stacked cells read beside what the cell below gives.
    """
    after, several = [], "cells" in settings.values
    for kind, config in _cells(settings):
        ends = np.cumsum([config["units"]] * _STATES[kind])
        *own, state = np.split(state, ends)
        named = config["name"] if several else ""
        found = {name: weight(weights, named, name) for name in WEIGHTS}
        found["bias"] = np.zeros(()) if found["bias"] is None else found["bias"]
        states = _STEPS[kind](config, found, np.concatenate([read, beside]), *own)
        after += states
        read = states[0]
    return np.concatenate(after)


def cell_output(settings: Any, state: Array) -> Array:
    """The first state of the last cell."""
    kind, config = list(_cells(settings))[-1]
    first = len(state) - _STATES[kind] * config["units"]
    return state[first : first + config["units"]]


def cell_states(
    settings: Any,
    weights: Any,
    start: Array,
    reads: Array,
    real: Array = True,
    beside: Array | None = None,
) -> Array:
    """(T + 1, n): before the first step and after each, which stay where not real."""
    states = [start]
    real = np.broadcast_to(real, len(reads))
    beside = np.zeros((len(reads), 0)) if beside is None else beside
    for read, more, counts in zip(reads, beside, real, strict=True):
        now = states[-1]
        states.append(cell(settings, weights, read, now, more) if counts else now)
    return np.stack(states)


def _cells(settings: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and config of a cell, or of those it is stacked of."""
    if "cells" not in settings.values:
        yield settings.values["kind"], settings.values
        return
    for each in settings.values["cells"]:
        yield each["class_name"].rpartition(">")[2], each["config"]


def weight(weights: Any, layer: str, name: str) -> Array:
    """That of a layer, found by the end of its path, or None."""
    end = f"{layer}_{name}" if layer else name
    values = weights.values
    found = [v for n, v in values.items() if n == end or n.endswith(f"_{end}")]
    return values.get(end, found[0] if found else None)


def _activations(config: Mapping[str, Any]) -> tuple[Any, Any]:
    names = config.get("activation", "tanh"), config.get("recurrent_activation")
    return _ACTIVATIONS[names[0]], _ACTIVATIONS[names[1] or "sigmoid"]


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
