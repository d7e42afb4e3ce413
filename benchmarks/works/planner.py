"""What ``regard.plan`` says a call needs, beside what it is seen to need."""

from __future__ import annotations

from benchmarks.harness import Goal, Work
from benchmarks.works import additive, multi_head, window


def multi_head_bytes(size):
    import regard

    heads, width = multi_head.HEADS, size["width"]
    layer = regard.layers.MultiHeadAttention(heads, width // heads)
    return planned(layer, multi_head.BATCH, size["length"], width)


def additive_bytes(size):
    import regard

    layer = regard.layers.AdditiveAttention(additive.WIDTH)
    return planned(layer, additive.BATCH, size["length"], additive.WIDTH)


def window_bytes(size):
    return planned(window.layer_of(size), 1, size["length"], window.WIDTH)


def planned(layer, *shape):
    import regard

    return regard.plan(layer, shape, shape).bytes


def work(name, title, ours, predicted, sizes):
    return Work(
        name=name,
        title=title,
        sizes=sizes,
        quick=sizes[1:2],
        contenders=lambda backend, size: {"regard": lambda: ours(size)},
        goals=lambda backend: [Goal("planned", "forward", bound=0.25)],
        memory=True,
        predicted=predicted,
    )


WORKS = (
    work(
        "planned_multi_head",
        "planned and measured memory of multi-head attention",
        multi_head.ours,
        multi_head_bytes,
        tuple({"length": 512 * 2**power, "width": 512} for power in range(4)),
    ),
    work(
        "planned_additive",
        "planned and measured memory of additive attention",
        additive.ours,
        additive_bytes,
        tuple({"length": 256 * 4**power} for power in range(3)),
    ),
    work(
        "planned_window",
        "planned and measured memory of a window of 64 keys",
        window.ours,
        window_bytes,
        tuple({"length": 8192 * 4**power} for power in range(2)),
    ),
)
