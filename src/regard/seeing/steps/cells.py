"""Recurrent cells by their settings and weights: Keras' in NumPy, others made anew.

A cell is a pair: the widths of its states, and its step from what it reads and its
states, side by side, to what it gives and the states after it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from regard.seeing.steps.keras_cells import STATES, WEIGHTS, keras_step, weight
from regard.seeing.steps.remade import can_be_remade, remade_cell

Array = Any
_Made = tuple[list[int], Callable[[Array, Array], tuple[Array, Array]]]
_STACKED = "StackedRNNCells"


def known_cell(settings: Any) -> bool:
    """Whether it is, or is stacked of, Keras' cells or some that can be made anew."""
    return all(_of_keras(each) or can_be_remade(each) for each in _parts(settings))


def cell(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array = ()
) -> Array:
    """The states after one step, side by side as before it.

    ``beside``: what stacked cells read beside what the cell below gives.
    """
    return _stepping(settings, weights)(read, state, beside)[1]


def cell_gives(
    settings: Any, weights: Any, read: Array, state: Array, beside: Array = ()
) -> Array:
    """What the last cell gives after one step."""
    return _stepping(settings, weights)(read, state, beside)[0]


def cell_output(settings: Any, state: Array) -> Array:
    """The first state of the last cell, which is what Keras' cells give."""
    last = list(_parts(settings))[-1].values
    first = len(state) - STATES[last["kind"]] * last["units"]
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
    step = _stepping(settings, weights)
    for read, more, counts in zip(reads, beside, real, strict=True):
        now = states[-1]
        states.append(step(read, now, more)[1] if counts else now)
    return np.stack(states)


def _stepping(settings: Any, weights: Any) -> Callable[..., tuple[Array, Array]]:
    """The step of all cells; each is made once, when it is known how much it reads."""
    parts, several = list(_parts(settings)), settings.values["kind"] == _STACKED
    made: list[_Made] = []

    def step(read: Array, state: Array, beside: Array) -> tuple[Array, Array]:
        after = []
        for number, each in enumerate(parts):
            read = np.concatenate([read, beside])
            if number == len(made):
                made.append(_made(each, weights, several, len(read)))
            widths, forward = made[number]
            own, state = np.split(state, [sum(widths)])
            read, states = forward(read, own)
            after.append(states)
        return read, np.concatenate(after)

    return step


def _made(settings: Any, weights: Any, several: bool, width: int) -> _Made:
    """Widths of the states of one cell, and its step."""
    config, named = settings.values, settings.values["name"] if several else ""
    if not _of_keras(settings):
        return remade_cell(settings, _below(weights, named), width)
    found = {name: weight(weights, named, name) for name in WEIGHTS}
    found["bias"] = np.zeros(()) if found["bias"] is None else found["bias"]
    widths = [config["units"]] * STATES[config["kind"]]
    return widths, partial(keras_step, config, found)


def _parts(settings: Any) -> Iterator[Any]:
    """The settings of a cell, or of those it is stacked of."""
    if settings.values["kind"] == _STACKED:
        yield from settings.values["cells"]
    else:
        yield settings


def _of_keras(settings: Any) -> bool:
    own = str(settings.made_of.get("module", "keras")).startswith("keras")
    return own and settings.values["kind"] in STATES


def _below(weights: Any, layer: str) -> Any:
    """The weights of one of several cells."""
    kept = {n.removeprefix(f"{layer}_"): v for n, v in weights.values.items()}
    return type(weights)("p", {**weights.values, **kept}) if layer else weights


# Name -> how it is computed, how written in a formula, whether by whole rows.
CELLS: dict[str, tuple[Any, ...]] = {
    "cell": (cell, "", True),
    "cell_gives": (cell_gives, "", True),
    "cell_output": (cell_output,),
    "cell_states": (cell_states, "", True),
    "known_cell": (known_cell,),
}
