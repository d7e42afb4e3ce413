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
)


def works() -> dict[str, Work]:
    """All works by name, in the order of the table."""
    found = (import_module(f"{__name__}.{name}").WORK for name in ORDER)
    return {work.name: work for work in found}
