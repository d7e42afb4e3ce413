"""Which views a page carries: those that one of its examples can fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from regard.reports.templates import text_of

__all__ = ["VIEWS", "program_of", "views_of"]

_Entry = Mapping[str, Any]  # an example as the page reads it


def _any_map(holds: Callable[[_Entry, int, int], bool]) -> Callable[[_Entry], bool]:
    """Whether something holds of one of the maps, given with its counts of tokens."""

    def found(entry: _Entry) -> bool:
        lengths = [len(side["text"]) for side in entry["sides"]]
        return any(
            holds(each, lengths[each["query"]], lengths[each["key"]])
            for each in entry["maps"]
        )

    return found


def _whole(each: _Entry) -> bool:
    return "outline" not in each


#: File of ``assets/views`` -> what an example must hold for a page to carry it. Pages
#: run them in this order; the script decides about each map by itself.
VIEWS: dict[str, Callable[[_Entry], bool]] = {
    "training": lambda entry: "steps" in entry,
    "heads": lambda entry: sum(len(each["heads"]) for each in entry["maps"]) > 1,
    "outline": _any_map(lambda each, *_: "outline" in each),
    "compare": _any_map(lambda each, *_: each["second"]),
    "lags": _any_map(lambda each, *_: _whole(each) and each["query"] == each["key"]),
    "canvas": _any_map(lambda _, queries, keys: max(queries, keys) > 64),
    "arcs": _any_map(lambda each, *counts: _whole(each) and max(counts) <= 200),
    "words": _any_map(lambda each, _, keys: _whole(each) and keys <= 2000),
    "timeline": lambda entry: "timeline" in entry,
    "numbers": lambda entry: bool(entry["maps"]),
}


def views_of(entries: Sequence[_Entry]) -> tuple[str, ...]:
    """The views that some of the examples can fill."""
    return tuple(name for name, fits in VIEWS.items() if any(map(fits, entries)))


@cache
def program_of(views: tuple[str, ...]) -> str:
    """The script of a page with these views."""
    parts = (text_of(f"built/{name}.js") for name in ("core", *views))
    return "\n".join([*parts, "core.start();"])
