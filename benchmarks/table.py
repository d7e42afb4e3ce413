"""From what was measured to rows: goal, ratio, spread, error, met or missed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness import BACKENDS, Cost, Goal, Work, middle
from benchmarks.limits import distance

COLUMNS = (
    "work",
    "backend",
    "size",
    "action",
    "peer",
    "goal",
    "measured",
    "spread",
    "values",
    "error",
    "verdict",
    "limit",
)


@dataclass(frozen=True)
class Row:
    """One line of the table, all in words."""

    work: str
    backend: str
    size: str
    action: str
    peer: str
    goal: str
    measured: str
    spread: str = ""
    values: str = ""
    error: str = ""
    verdict: str = ""
    limit: str = ""

    def cells(self) -> list[str]:
        return [getattr(self, name) for name in COLUMNS]


def rows(record: dict, works: dict[str, Work], backends=BACKENDS) -> Iterator[Row]:
    """The rows of a record: work by work, backend by backend, goal by goal."""
    for name, work in works.items():
        measured = record["works"].get(name, {})
        for backend, found in measured.items():
            if backend not in backends:
                continue
            sizes = found["sizes"]
            for goal in work.goals(backend):
                yield from _judged(work, backend, goal, found, record["limits"])
            for size in sizes:
                for mode in ("time", "memory"):
                    problem = size.get(f"{mode} failure")
                    if problem:
                        words = _words(size["size"])
                        yield Row(name, backend, words, mode, "", "", problem,
                                  verdict="failed")  # fmt: skip
            if "failure" in found:
                yield Row(name, backend, "", "error", "", "", found["failure"],
                          verdict="failed")  # fmt: skip


def _judged(work, backend, goal: Goal, found, limits) -> Iterator[Row]:
    sizes = found["sizes"]
    across = {"growth": _growth, "memory growth": _memory_growth, "flat": _flat}
    if goal.kind in across:
        row = across[goal.kind](goal, sizes)
        pairs = [] if row is None else [(row, sizes)]
        pairs = [(row, _words(sizes[0]["size"]) + " ... " + _words(sizes[-1]["size"]))
                 for row, sizes in pairs]  # fmt: skip
    else:
        single = {"speed": _speed, "memory": _memory, "extra": _extra,
                  "planned": _planned}[goal.kind]  # fmt: skip
        pairs = [(single(goal, size), _words(size["size"])) for size in sizes]
    errors = found.get("error", {})
    for number, (judged, words) in enumerate(pairs):
        if judged is None:
            continue
        measured, shown, spread, values = judged
        size = sizes[number] if goal.kind not in across else sizes[-1]
        yield Row(
            work.name,
            backend,
            words,
            goal.action if "memory" not in goal.kind else f"{goal.action} memory",
            goal.peer,
            _goal_words(goal),
            shown,
            spread,
            values,
            _errors(errors, size, goal),
            _verdict(goal, measured),
            _limit(goal, size, limits),
        )


def _speed(goal, size):
    times = size.get("times", {}).get(goal.action, {})
    ours, theirs = times.get(goal.ours), times.get(goal.peer)
    if not ours or not theirs:
        return None
    ratio = middle(theirs) / middle(ours)
    each = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    values = f"{_seconds(middle(ours))} / {_seconds(middle(theirs))}"
    return ratio, f"{ratio:.2f}x", f"{each[0]:.2f}-{each[-1]:.2f}", values


def _memory(goal, size):
    memory = size.get("memory", {})
    ours = memory.get(goal.ours, {}).get(goal.action)
    theirs = memory.get(goal.peer, {}).get(goal.action)
    if ours is None or not theirs:
        return None
    values = f"{ours / 1e6:.0f} / {theirs / 1e6:.0f} MB"
    return ours / theirs, f"{ours / theirs:.2f}x", "", values


def _extra(goal, size):
    times = size.get("times", {}).get(goal.action, {})
    ours, theirs = times.get(goal.ours), times.get(goal.peer)
    if not ours or not theirs:
        return None
    more = middle(ours) - middle(theirs)
    each = sorted(a - b for a, b in zip(ours, theirs, strict=True))
    values = f"{_seconds(middle(ours))} / {_seconds(middle(theirs))}"
    return more, f"{more:+.2f} s", f"{each[0]:+.2f}-{each[-1]:+.2f}", values


def _planned(goal, size):
    measured = size.get("memory", {}).get(goal.ours, {}).get(goal.action)
    if not measured or not size.get("predicted"):
        return None
    planned = size["predicted"]
    off = abs(planned / measured - 1)
    values = f"planned {planned / 1e6:.1f}, measured {measured / 1e6:.1f} MB"
    return off, f"{planned / measured - 1:+.0%}", "", values


def _across(goal, sizes, value):
    """Sizes with what was measured there, where it was."""
    found = [(size["units"], value(size)) for size in sizes if value(size)]
    return found if len(found) > 1 else None


def _ours(goal):
    def value(size):
        times = size.get("times", {}).get(goal.action, {}).get(goal.ours)
        return middle(times) if times else None

    return value


def _growth(goal, sizes):
    found = _across(goal, sizes, _ours(goal))
    if found is None:
        return None
    return _exponent(found, [_seconds(value) for _, value in found])


def _memory_growth(goal, sizes):
    lengths = [
        (size["size"]["length"], size.get("memory", {}).get(goal.ours, {}))
        for size in sizes
    ]
    found = [(n, memory[goal.action]) for n, memory in lengths if memory]
    if len(found) < 2:
        return None
    found = [(n, max(value, 1e6)) for n, value in found]  # below is noise
    return _exponent(found, [f"{value / 1e6:.0f}" for _, value in found], "MB")


def _exponent(found, shown, unit=""):
    """With which power the second grows with the first, between the two largest."""
    (few, small), (many, large) = found[-2:]
    power = math.log(large / small) / math.log(many / few)
    return power, f"power {power:.2f}", "", " ".join([*shown, unit]).strip()


def _flat(goal, sizes):
    found = _across(goal, sizes, _ours(goal))
    if found is None:
        return None
    each = [value / units for units, value in found]
    ratio = max(each) / min(each)
    values = " ".join(f"{value * 1e9:.1f}" for value in each) + " ns per unit"
    return ratio, f"{ratio:.2f}x", "", values


def _goal_words(goal):
    if goal.bound is None:
        return "report"
    form = {"speed": ">= {:.3g}x", "extra": "<= {:+.3g} s", "planned": "within {:.0%}"}
    form |= {"growth": "<= power {:.3g}", "memory growth": "<= power {:.3g}"}
    return form.get(goal.kind, "<= {:.3g}x").format(goal.bound)


def _verdict(goal, measured):
    if goal.bound is None:
        return ""
    met = measured >= goal.bound if goal.kind == "speed" else measured <= goal.bound
    return "met" if met else "MISSED"


def _errors(errors, size, goal):
    parts = [f"{name} {value:.0e}" for name, value in errors.items()]
    apart = size.get("different", {}).get(goal.peer)
    if apart is not None:
        parts.append(f"peer {apart:.0e}")
    return " ".join(parts)


def _limit(goal, size, limits):
    costs = size.get("cost", {})
    times = size.get("times", {}).get(goal.action, {}).get(goal.ours)
    if "memory" in goal.kind or goal.action not in costs or not times or not limits:
        return ""
    return distance(middle(times), Cost(**costs[goal.action]), limits)


def _words(size: dict) -> str:
    return " ".join(f"{name}={value}" for name, value in size.items())


def _seconds(value: float) -> str:
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
