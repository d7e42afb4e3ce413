"""Recurrent cells by their settings and weights: Keras' in NumPy, others made anew.

A cell is a pair: the widths of its states, and its step from what it reads and its
states, side by side, to what it gives and the states after it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from regard.seeing.steps.networks import activation
from regard.seeing.steps.remade import can_be_remade, remade_cell

Array = Any
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_STATES = {"SimpleRNNCell": 1, "GRUCell": 1, "LSTMCell": 2}


def known_cell(settings: Any) -> bool:
    """Whether it is, or is stacked of, Keras' cells or some that can be made anew."""
    return all(_of_keras(each) or can_be_remade(each) for each in _parts(settings))


def cell(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array = ()
) -> Array:
    """The states after one step, side by side as before it.

    ``beside``: what stacked cells read beside what the cell below gives.
    """
    return _stepped(settings, weights, read, state, beside)[1]


def cell_gives(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array = ()
) -> Array:
    """What the last cell gives after one step."""
    return _stepped(settings, weights, read, state, beside)[0]


def cell_output(settings: Any, state: Array) -> Array:
    """The first state of the last cell, which is what Keras' cells give."""
    last = list(_parts(settings))[-1].values
    first = len(state) - _STATES[last["kind"]] * last["units"]
    return state[first : first + last["units"]]


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


def _stepped(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array
) -> tuple[Array, Array]:
    after, several = [], "cells" in settings.values
    for each in _parts(settings):
        read = np.concatenate([read, beside])
        widths, step = _made(each, weights, several, len(read))
        own, state = np.split(state, [sum(widths)])
        read, states = step(read, own)
        after.append(states)
    return read, np.concatenate(after)


def _made(
    settings: Any, weights: Any, several: bool, width: int
) -> tuple[list[int], Callable[[Array, Array], tuple[Array, Array]]]:
    """Widths of the states of one cell, and its step."""
    config, named = settings.values, settings.values["name"] if several else ""
    if not _of_keras(settings):
        return remade_cell(settings, _below(weights, named), width)
    found = {name: weight(weights, named, name) for name in WEIGHTS}
    found["bias"] = np.zeros(()) if found["bias"] is None else found["bias"]
    widths = [config["units"]] * _STATES[config["kind"]]
    return widths, partial(_step_of_keras, config, found)


def _step_of_keras(
    config: Mapping[str, Any], found: Mapping[str, Array], read: Array, state: Array
) -> tuple[Array, Array]:
    own = np.split(state, len(state) // config["units"])
    states = _STEPS[config["kind"]](config, found, read, *own)
    return states[0], np.concatenate(states)


def _parts(settings: Any) -> Iterator[Any]:
    """The settings of a cell, or of those it is stacked of."""
    if settings.values["kind"] == "StackedRNNCells":
        yield from settings.values["cells"]
    else:
        yield settings


def _of_keras(settings: Any) -> bool:
    made_of = settings.values.get("made_of", {})
    own = str(made_of.get("module", "keras")).startswith("keras")
    return own and settings.values["kind"] in _STATES


def _below(weights: Any, layer: str) -> Any:
    """The weights of one of several cells."""
    kept = {n.removeprefix(f"{layer}_"): v for n, v in weights.values.items()}
    return type(weights)("p", {**weights.values, **kept}) if layer else weights


def weight(weights: Any, layer: str, name: str) -> Array:
    """That of a layer, found by the end of its path, or None."""
    end = f"{layer}_{name}" if layer else name
    values = weights.values
    found = [v for n, v in values.items() if n == end or n.endswith(f"_{end}")]
    return values.get(end, found[0] if found else None)


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
