"""From what was measured to rows: goal, ratio, spread, error, met or missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import judging
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
    if goal.kind in judging.ACROSS:
        row = judging.ACROSS[goal.kind](goal, sizes)
        pairs = [] if row is None else [(row, sizes)]
        pairs = [(row, _words(sizes[0]["size"]) + " ... " + _words(sizes[-1]["size"]))
                 for row, sizes in pairs]  # fmt: skip
    else:
        single = judging.SINGLE[goal.kind]
        pairs = [(single(goal, size), _words(size["size"])) for size in sizes]
    errors = found.get("error", {})
    for number, (judged, words) in enumerate(pairs):
        if judged is None:
            continue
        measured, shown, spread, values = judged
        size = sizes[number] if goal.kind not in judging.ACROSS else sizes[-1]
        bound = goal.bound_at(size["size"])
        yield Row(
            work.name,
            backend,
            words,
            goal.action if "memory" not in goal.kind else f"{goal.action} memory",
            goal.peer,
            _goal_words(goal, bound),
            shown,
            spread,
            values,
            _errors(errors, size, goal),
            _verdict(goal, bound, measured) + _disturbed(goal, size),
            _limit(goal, size, limits),
        )


def _goal_words(goal, bound):
    if bound is None:
        return "report"
    form = {"speed": ">= {:.3g}x", "extra": "<= {:+.3g} s", "planned": "within {:.0%}"}
    form |= {"growth": "<= power {:.3g}", "memory growth": "<= power {:.3g}"}
    return form.get(goal.kind, "<= {:.3g}x").format(bound)


def _verdict(goal, bound, measured):
    if bound is None:
        return ""
    met = measured >= bound if goal.kind == "speed" else measured <= bound
    return "met" if met else "MISSED"


def _disturbed(goal, size):
    """Said where other programs took part of the processor in every turn."""
    return " (busy)" if goal.action in size.get("disturbed", ()) else ""


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
