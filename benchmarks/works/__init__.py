"""One module per work; each has a ``WORK`` or several in ``WORKS``."""

from __future__ import annotations

from importlib import import_module

from benchmarks.harness import Work

ORDER = (
    "additive",
    "additive_growth",
    "multi_head",
    "scaled_dot_product",
    "window",
    "chosen_rows",
    "recurrent",
    "translation",
    "cached",
    "linear",
    "normalizers",
    "starting",
    "planner",
)


def works() -> dict[str, Work]:
    """All works by name, in the order of the table."""
    found: list[Work] = []
    for name in ORDER:
        module = import_module(f"{__name__}.{name}")
        found += getattr(module, "WORKS", None) or (module.WORK,)
    return {work.name: work for work in found}
