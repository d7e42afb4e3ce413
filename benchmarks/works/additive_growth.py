"""Additive attention as sequences grow: memory linear, time per pair flat."""

from __future__ import annotations

from benchmarks.harness import Goal, Work
from benchmarks.works import additive

SIZES = tuple({"length": 128 * 4**power} for power in range(4))


WORK = Work(
    name="additive_growth",
    title="additive attention, T=S growing, B=2, D=128",
    sizes=(*SIZES, {"length": 16384}),
    quick=SIZES[:2],
    contenders=lambda backend, size: {"regard": lambda: additive.ours(size)},
    goals=lambda backend: [
        Goal("flat", "forward", bound=1.3),
        Goal("flat", "train", bound=1.3),
        Goal("memory growth", "forward", bound=1.1),
        Goal("memory growth", "train", bound=1.1),
    ],
    cost=additive.cost,
    units=lambda size: float(size["length"] ** 2),
    memory=True,
)
