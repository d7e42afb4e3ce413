"""What a work is, and what memory its contenders need.

Every contender is a set of named actions that block on their result. Memory is the
growth of the largest resident size while a warm action runs, each contender in a
process of its own.
"""

from __future__ import annotations

import ctypes
import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Action = Callable[[], Any]
Size = Mapping[str, int]
BACKENDS = ("jax", "tensorflow", "torch")


@dataclass(frozen=True)
class Contender:
    """One of those compared: its actions by name, such as "forward" and "train".

    ``result`` gives arrays that those of the other contenders must equal, if any.
    """

    actions: Mapping[str, Action]
    result: Callable[[], list[Any]] | None = None


def unlike(contender: Contender) -> Contender:
    """One that computes something else, so that results are not compared."""
    return Contender(contender.actions)


@dataclass(frozen=True)
class Cost:
    """The least that an action must do, whoever does it: the physical limit.

    ``arithmetic`` operations of matrix products, ``functions`` exponentials or
    hyperbolic tangents, ``traffic`` bytes read and written at least.
    """

    arithmetic: float = 0.0
    traffic: float = 0.0
    functions: float = 0.0


@dataclass(frozen=True)
class Goal:
    """One number that a work is judged by.

    ``kind``: "speed" is the peer's time over ours, "memory" our growth over the peer's,
    "growth" the exponent with which ours grows from size to size, "flat" our largest
    time per unit over the smallest, "extra" our seconds less the peer's.
    ``bound``: at least so much for speed, at most for all others; None only reports,
    and so do sizes other than ``at``, where that is given.
    """

    kind: str
    action: str
    peer: str = "itself"
    bound: float | None = None
    ours: str = "regard"
    at: Size | None = None

    def bound_at(self, size: Size) -> float | None:
        """What holds at a size."""
        return self.bound if self.at is None or size == self.at else None


@dataclass(frozen=True)
class Work:
    """What is measured, at which sizes, against whom, and how good it must be.

    ``contenders(backend, size)`` gives builders by name: nothing is built that is not
    measured. ``error(backend)`` compares with the float64 reference: numbers by name.
    ``units(size)`` is what time per unit divides by.
    """

    name: str
    title: str
    sizes: tuple[Size, ...]
    contenders: Callable[[str, Size], Mapping[str, Callable[[], Contender]]]
    goals: Callable[[str], list[Goal]]
    quick: tuple[Size, ...] = ()
    cost: Callable[[Size, str], Cost] | None = None
    error: Callable[[str], Mapping[str, float]] | None = None
    units: Callable[[Size], float] = lambda size: 1.0
    memory: bool = False
    backends: tuple[str, ...] = BACKENDS
    predicted: Callable[[Size], float | None] | None = None


@dataclass(frozen=True)
class Effort:
    """How long an action of a work may be repeated, and whether it settles first."""

    seconds: float
    least: int
    most: int
    settles: bool = True


FULL = Effort(seconds=8.0, least=3, most=31)
QUICK = Effort(seconds=0.25, least=2, most=7, settles=False)


def memory_of(contender: Contender) -> dict[str, float]:
    """Bytes that each action needs at its highest, over what the built model holds."""
    grown = {}
    for name, action in contender.actions.items():
        action()  # compiles, and allocates what stays
        gc.collect()
        _return_freed_memory()
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        action()
        grown[name] = max(_resident("VmHWM") - before, 0.0)
    return grown


def _resident(entry: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry + ":"):
            return 1024.0 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status must have {entry}.")


def _return_freed_memory() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def middle(times: list[float]) -> float:
    return statistics.median(times)
