"""Recurrent cells with a memory of slots, in NumPy: NTM and DNC."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from regard.seeing.elementary import sigmoid, softmax
from regard.seeing.steps.cells import cell, cell_output
from regard.seeing.steps.keras_cells import STATES, WEIGHTS, weight
from regard.seeing.steps.layout import demanded, demands, leaf, leaves, piece
from regard.seeing.steps.slots import (
    by_content,
    free_slots,
    linked,
    overwritten,
    rotated_by,
    sharpened,
    softplus,
    used,
    ways_read,
)

Array = Any


def controlled(settings: Any, weights: Any, inputs: Array, state: Array) -> Array:
    """The controller's states after one step."""
    own = settings.values["controller"]
    found = {name: weight(weights, own.values["name"], name) for name in WEIGHTS}
    found = {name: each for name, each in found.items() if each is not None}
    before = controller_state(settings, state)
    read = np.concatenate([inputs, leaf(settings, state, "reads").ravel()])
    return cell(own, SimpleNamespace(values=found or weights.values), read, before)


def controller_state(settings: Any, state: Array) -> Array:
    """What the controller remembers, behind the leaves of the memory."""
    return state[sum(int(np.prod(each)) for each in leaves(settings).values()) :]


def turn(settings: Any, sequence: Array, number: int) -> int:
    """Which step of the loop gave this answer."""
    return number if settings.values["return_sequences"] else len(sequence) - 1


def in_turn(settings: Any, rows: Array) -> Array:
    """Positions in the order of the loop; what holds for all of them as it is."""
    backwards = settings.values["go_backwards"] and np.ndim(rows)
    return rows[::-1] if backwards else rows


def works(settings: Any, real: Array, number: int) -> bool:
    """Whether the cell works at this step: Keras keeps its state at padding."""
    real = np.atleast_1d(in_turn(settings, real))
    return bool(real[turn(settings, real, number) if len(real) > 1 else 0])


def answered_before(settings: Any, real: Array, number: int) -> bool:
    """Whether there is an answer that the loop repeats at padding."""
    real = np.atleast_1d(in_turn(settings, real))
    before = real[: turn(settings, real, number)]
    return bool(np.any(before)) and not settings.values["zero_output_for_mask"]


def machine_states(
    settings: Any, weights: Any, sequence: Array, real: Array = True
) -> Array:
    """(T + 1, n): before the first position and after each that is real."""
    states = [_start(settings, weights)]
    for inputs, counts in zip(
        sequence, np.broadcast_to(real, len(sequence)), strict=True
    ):
        now = states[-1]
        states.append(_step(settings, weights, inputs, now) if counts else now)
    return np.stack(states)


def _start(settings: Any, weights: Any) -> Array:
    """Zeros, but an NTM's memory is 1e-6 and its heads stand at the first slot."""
    found = {name: np.zeros(shape) for name, shape in leaves(settings).items()}
    if settings.values["kind"] == "NTMCell":
        found["memory"] += 1e-6
        found["weights"][:, 0] = 1.0
    controller = weight(weights, "", "head_kernel").shape[0]
    own = settings.values["controller"]
    zeros = np.zeros(controller_size(own, controller))
    return np.concatenate([*map(np.ravel, found.values()), zeros])


def controller_size(settings: Any, width: int) -> int:
    """Numbers in the controller's states."""
    if "cells" not in settings.values:
        return width * STATES.get(settings.values["kind"], 1)
    cells = settings.values["cells"]
    return sum(c.values["units"] * STATES.get(c.values["kind"], 1) for c in cells)


def _step(settings: Any, weights: Any, inputs: Array, state: Array) -> Array:
    after = controlled(settings, weights, inputs, state)
    hidden = cell_output(settings.values["controller"], after)
    kernel, bias = (weight(weights, "", f"head_{n}") for n in ("kernel", "bias"))
    numbers = hidden @ kernel + bias
    wanted = {n: piece(demands(settings), numbers, n) for n in demands(settings)}
    before = {n: piece(leaves(settings), state, n) for n in leaves(settings)}
    work = _turing if settings.values["kind"] == "NTMCell" else _computer
    found = work(wanted, before)
    return np.concatenate([*(np.ravel(found[n]) for n in before), after])


def _turing(wanted: Mapping[str, Array], state: Mapping[str, Array]) -> dict:
    strength, gate = softplus(wanted["strength"]), sigmoid(wanted["gate"])
    content = by_content(np.tanh(wanted["key"]), state["memory"], strength)
    mixed = gate * content + (1.0 - gate) * state["weights"]
    moved = rotated_by(mixed, softmax(wanted["shifts"]))
    weights = sharpened(moved, 1.0 + softplus(wanted["power"]))
    readers, memory = len(state["reads"]), state["memory"]
    changes = sigmoid(wanted["erase"]), np.tanh(wanted["add"])
    return {
        "memory": overwritten(memory, weights[readers:], *changes),
        "weights": weights,
        "reads": weights[:readers] @ memory,
    }


def _computer(wanted: Mapping[str, Array], state: Mapping[str, Array]) -> dict:
    free = sigmoid(wanted["free"])
    usage = used(state["usage"], state["writing"], state["reading"], free)
    strength = 1.0 + softplus(wanted["write_strength"])
    alike = by_content(wanted["write_key"], state["memory"], strength)[0]
    gate = sigmoid(wanted["allocation_gate"])
    mixed = gate * free_slots(usage) + (1.0 - gate) * alike
    writing = sigmoid(wanted["write_gate"]) * mixed
    changes = sigmoid(wanted["erase"]), wanted["add"]
    memory = overwritten(state["memory"], writing[None], *changes)
    links = linked(state["links"], state["precedence"], writing)
    reading = ways_read(wanted, memory, links, state["reading"])
    precedence = (1.0 - writing.sum()) * state["precedence"] + writing
    found = {"memory": memory, "usage": usage, "links": links, "reading": reading}
    rest = {"precedence": precedence, "writing": writing}
    return {**found, **rest, "reads": reading @ memory}


_ALL = (leaf, demanded, controlled, machine_states, by_content, rotated_by, sharpened)
_MORE = (overwritten, used, free_slots, linked)
_LOOP = (controller_state, turn, in_turn, works, answered_before)
MACHINES = {each.__name__: each for each in (*_ALL, *_MORE, *_LOOP)}
