"""Which views a page carries: those that its examples can fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from regard.reports.templates import built

__all__ = ["VIEWS", "phrases_of", "program_of", "views_of"]

_Entry = Mapping[str, Any]  # an example as the page reads it
_Need = Callable[[Sequence[_Entry]], bool]


def _example(holds: Callable[[_Entry], bool]) -> _Need:
    """Whether something holds of one of the examples."""
    return lambda entries: any(map(holds, entries))


def _map(
    holds: Callable[[_Entry, int, int], bool], unless: Sequence[str] = ()
) -> _Need:
    """Whether something holds of one of the maps, given with its counts of tokens.

    ``unless``: of an example that has none of these.
    """

    def found(entry: _Entry) -> bool:
        if any(name in entry for name in unless):
            return False
        lengths = [len(side["text"]) for side in entry["sides"]]
        return any(
            holds(each, lengths[each["query"]], lengths[each["key"]])
            for each in entry["maps"]
        )

    return _example(found)


def _has_gold(each: _Entry, *_: int) -> bool:
    return each["gold"] is not None


def _has_links(each: _Entry, *counts: int) -> bool:
    return _whole(each) and max(counts) <= 200


def _links(entries: Sequence[_Entry]) -> bool:
    """Of a training, which has much to show, only where right links are known."""
    plain = _map(_has_links, unless=("timeline", "steps"))
    return plain(entries) or _map(_has_gold, unless=("timeline",))(entries)


def _whole(each: _Entry) -> bool:
    return "outline" not in each


#: File of ``assets/views`` -> what the examples must hold for a page to carry it. Pages
#: run them in this order; the script decides about each map by itself.
VIEWS: dict[str, _Need] = {
    "list": lambda entries: len(entries) > 1,
    "training": _example(lambda entry: "steps" in entry),
    "multiples": _example(lambda entry: "steps" in entry),
    "heads": _example(lambda entry: sum(len(x["heads"]) for x in entry["maps"]) > 1),
    "outline": _map(lambda each, *_: "outline" in each),
    "compare": _map(lambda each, *_: each["second"]),
    "lags": _map(lambda each, *_: _whole(each) and each["query"] == each["key"]),
    "matrix": _map(lambda _, *counts: max(counts) <= 64),
    "canvas": _map(lambda _, *counts: max(counts) > 64),
    "minimap": _map(lambda _, *counts: max(counts) > 64),
    "arcs": _links,
    "gold": _map(_has_gold, unless=["timeline"]),
    "sentences": _map(lambda each, *_: each.get("sentences") is not None),
    "words": _map(lambda each, _, n: _whole(each) and n <= 2000, unless=["timeline"]),
    "answer": _example(lambda entry: "explanation" in entry),
    "timeline": _example(lambda entry: "timeline" in entry),
    "sound": _example(lambda entry: "audio" in entry.get("timeline", ())),
    "bands": _map(lambda each, *_: each.get("band", -1) >= 0),
    "numbers": _example(lambda entry: bool(entry["maps"])),
}


#: Files of phrases that every page speaks.
_SPOKEN = (
    "pages",
    "patterns",
    *(f"report/{name}" for name in "examples heads matrix pair".split()),
)
#: File of ``phrases/report`` -> the views that speak it.
_SPOKEN_BY = {
    "compare": {"compare"},
    "links": {"arcs", "gold"},
    "numbers": {"numbers"},
    "picture": {"canvas", "minimap"},
    "sentences": {"sentences"},
    "time": {"timeline", "sound", "bands"},
    "training": {"training", "multiples"},
    "words": {"words", "answer"},
}


def phrases_of(views: Sequence[str]) -> tuple[str, ...]:
    """The files of phrases that a page with these views speaks."""
    own = (f"report/{name}" for name, each in _SPOKEN_BY.items() if each & set(views))
    return (*_SPOKEN, *own)


def views_of(entries: Sequence[_Entry]) -> tuple[str, ...]:
    """The views that the examples can fill."""
    return tuple(name for name, needed in VIEWS.items() if needed(entries))


@cache
def program_of(views: tuple[str, ...]) -> str:
    """The script of a page with these views."""
    scripts = (built(f"{name}.js") for name in ("core", *views))
    return "\n".join(["(()=>{", *scripts, "start()})();"])
