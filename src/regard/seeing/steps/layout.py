"""What stands where in the numbers of a cell with a memory of slots.

A state is one row of numbers, its leaves side by side as the cell keeps them; so are
the demands of a step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = Any
Shapes = Mapping[str, tuple[int, ...]]


def leaves(settings: Any) -> Shapes:
    """What a cell remembers beside its controller's states: name and shape."""
    s = settings.values
    slots, width, readers = s["slots"], s["slot_width"], s["read_heads"]
    reads = {"reads": (readers, width)}
    if s["kind"] == "NTMCell":
        heads = readers + s["write_heads"]
        return {"memory": (slots, width), "weights": (heads, slots), **reads}
    rows = ("usage", "links", "precedence", "writing")
    shapes: dict[str, tuple[int, ...]] = {"memory": (slots, width)}
    shapes |= {n: (slots, slots) if n == "links" else (slots,) for n in rows}
    return {**shapes, "reading": (readers, slots), **reads}


def demands(settings: Any) -> Shapes:
    """What a step wants of its controller: name and shape."""
    s = settings.values
    width, readers = s["slot_width"], s["read_heads"]
    if s["kind"] == "NTMCell":
        writers = s["write_heads"]
        heads = readers + writers
        one = ("strength", "gate", "power")
        sizes = {"key": width, "strength": 1, "gate": 1}
        sizes |= {"shifts": 2 * s["shifts"] + 1, "power": 1}
        named = {n: (heads, 1 if n in one else size) for n, size in sizes.items()}
        return {**named, "erase": (writers, width), "add": (writers, width)}
    return {
        "read_key": (readers, width),
        "read_strength": (readers, 1),
        "write_key": (1, width),
        "write_strength": (1, 1),
        "erase": (1, width),
        "add": (1, width),
        "free": (readers, 1),
        "allocation_gate": (1,),
        "write_gate": (1,),
        "modes": (readers, 3),
    }


def piece(shapes: Shapes, numbers: Array, name: str) -> Array:
    """One of several arrays that stand side by side."""
    start = 0
    for each, shape in shapes.items():
        end = start + int(np.prod(shape))
        if each == name:
            return numbers[start:end].reshape(shape)
        start = end
    raise ValueError(f"{name!r} is none of {', '.join(shapes)}.")


def leaf(settings: Any, state: Array, name: str) -> Array:
    return piece(leaves(settings), state, name)


def demanded(settings: Any, numbers: Array, name: str) -> Array:
    return piece(demands(settings), numbers, name)
