"""Timing contenders in turns, and leaving out turns that other programs disturbed.

The contenders of a work take turns inside one process, so that whatever else the
machine does hits all of them alike; medians are compared. In every turn each contender
runs twice and its second run counts: after one that fills the caches and the memory
with its own, a short action takes up to twice its time, which is the neighbour's doing.
Actions of more than a second run once.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Action, Contender, Effort

LONG = 1.0  # seconds: an action that takes longer settles by itself
SPAN = 0.2  # seconds: processor time is counted in hundredths of a second
SHARE = 0.1  # of a core: what others may use
PATIENCE = 4  # times the seconds of an effort are waited for a quiet machine


@dataclass(frozen=True)
class Turns:
    """Seconds of every repeat: ``{action: {contender: [seconds, ...]}}``.

    ``disturbed``: actions for which the machine was never quiet for long enough.
    """

    times: dict[str, dict[str, list[float]]]
    disturbed: list[str]


def time_in_turns(contenders: Mapping[str, Contender], effort: Effort) -> Turns:
    """Time all actions, one after another, the contenders of each in turns."""
    names = dict.fromkeys(
        action for each in contenders.values() for action in each.actions
    )
    times, disturbed = {}, []
    for name in names:
        runs = {
            contender: each.actions[name]
            for contender, each in contenders.items()
            if name in each.actions
        }
        quiet, busy = _turns(runs, effort)
        if len(quiet) < effort.least and busy:
            disturbed.append(name)
            quiet += busy
        times[name] = {each: [turn[each] for turn in quiet] for each in runs}
    return Turns(times, disturbed)


def _turns(runs: Mapping[str, Action], effort: Effort):
    """Turns of a quiet machine, and others: seconds by contender."""
    usual = {name: seconds_of(run) for name, run in runs.items()}  # compiles, too
    for name, run in runs.items():
        if effort.settles or usual[name] < LONG:
            usual[name] = seconds_of(run)
    least = 1 if sum(usual.values()) > effort.seconds else effort.least
    quiet: list[dict[str, float]] = []
    busy: list[dict[str, float]] = []
    start = time.perf_counter()
    while len(quiet) < effort.most:
        spent = time.perf_counter() - start
        patience = effort.seconds * (1 if len(quiet) >= least else PATIENCE)
        if (quiet or busy) and spent > patience:
            break
        others = _Others()
        turns = []
        while not turns or others.seconds() < SPAN:
            turns.append(
                {name: _settled(run, usual[name], effort) for name, run in runs.items()}
            )
        (quiet if others.share() < SHARE else busy).extend(turns)
    return quiet[: effort.most], busy


def _settled(run: Action, usual: float, effort: Effort) -> float:
    if effort.settles and usual < LONG:
        run()
    return seconds_of(run)


def seconds_of(run: Action) -> float:
    """How long an action takes; one that measures itself gives a float."""
    start = time.perf_counter()
    found = run()
    return found if isinstance(found, float) else time.perf_counter() - start


class _Others:
    """How much of the processor other programs use, from now on."""

    def __init__(self):
        self._start, self._before = time.perf_counter(), self._used()

    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def share(self) -> float:
        """Of one core, on average; 0 where the system does not tell."""
        return (self._used() - self._before) / self.seconds()

    @staticmethod
    def _used() -> float:
        try:
            line = Path("/proc/stat").read_text().splitlines()[0]
        except OSError:
            return 0.0
        user, nice, system, _, _, *interrupts = map(int, line.split()[1:9])
        ticks = user + nice + system + sum(interrupts)
        mine = [
            part
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            for part in resource.getrusage(who)[:2]
        ]
        return ticks / os.sysconf("SC_CLK_TCK") - sum(mine)
