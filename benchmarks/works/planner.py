"""What ``regard.plan`` says a call needs, beside what it is seen to need."""

from __future__ import annotations

from benchmarks.harness import Goal, Work
from benchmarks.works import additive, multi_head


def layer_of(size):
    import regard

    if size["width"] != additive.WIDTH:
        layer = regard.layers.MultiHeadAttention
        return layer(multi_head.HEADS, size["width"] // multi_head.HEADS)
    return regard.layers.AdditiveAttention(additive.WIDTH)


def predicted(size):
    import regard

    shape = (2, size["length"], size["width"])
    return regard.plan(layer_of(size), shape, shape).bytes


def work(name, title, ours, sizes):
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
        tuple({"length": 512 * 2**power, "width": 512} for power in range(4)),
    ),
    work(
        "planned_additive",
        "planned and measured memory of additive attention",
        additive.ours,
        tuple({"length": 256 * 4**power, "width": 128} for power in range(3)),
    ),
)
