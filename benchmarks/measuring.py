"""One run: which tasks there are, and what they found, in one record."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator

from benchmarks import results
from benchmarks.harness import Work
from benchmarks.processes import measure
from benchmarks.works import works

# Seconds that one task may take, and all of them.
TASK, QUICK_TASK, QUICK_RUN = 900.0, 40.0, 285.0


def measured(record: dict, options: argparse.Namespace) -> int:
    """Fill the record; 0, or 130 where the user stopped it."""
    known = works()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    about = results.about()
    if record.get("processor") != about["processor"]:
        record.update({"works": {}, "limits": {}})
    record.update(about)
    start, share = time.monotonic(), QUICK_RUN / len(options.backend)
    end = start + QUICK_RUN

    def limit() -> float:
        return min(QUICK_TASK, end - time.monotonic()) if options.quick else TASK

    try:
        _say("limits of this machine")
        for _, found in measure([{"mode": "limits"}], options.backend[0], limit):
            _keep_best(record, found)
        for number, backend in enumerate(options.backend, start=1):
            end = start + number * share  # of its own, or what is last gets nothing
            chosen = [known[name] for name in options.only]
            chosen = [work for work in chosen if backend in work.backends]
            for work in chosen:
                record["works"].setdefault(work.name, {})[backend] = {
                    "quick": options.quick,
                    "sizes": [],
                }
            for tasks in _batches(chosen, backend, options.quick):
                _run(record, tasks, backend, limit)
    except KeyboardInterrupt:
        print("\nstopped; what was measured so far:", file=sys.stderr)
        return 130
    return 0


def _keep_best(record, rates):
    """The machine may have been busy; what it once did it can do."""
    known = record["limits"]
    for name, rate in rates.items():
        known[name] = max(rate, known.get(name, 0.0))


def _run(record, tasks, backend, limit):
    start = time.perf_counter()
    for task, found in measure(tasks, backend, limit):
        seconds, start = time.perf_counter() - start, time.perf_counter()
        words = " ".join(f"{k}={v}" for k, v in task.get("size", {}).items())
        failure = found.pop("failure", None)
        state = failure or f"{seconds:.1f} s"
        _say(f"{backend} {task['work']} {words} {task['mode']}: {state}")
        place = record["works"][task["work"]][backend]
        if task["mode"] == "error":
            place.update({"failure": failure} if failure else found)
            continue
        sizes = place["sizes"]
        entry = next((each for each in sizes if each["size"] == task["size"]), None)
        if entry is None:
            sizes.append(entry := {"size": task["size"]})
        if failure:
            entry[f"{task['mode']} failure"] = failure
        for name, value in found.items():
            if isinstance(value, dict):
                entry.setdefault(name, {}).update(value)
            else:
                entry[name] = value


def _batches(chosen: list[Work], backend: str, quick: bool) -> Iterator[list[dict]]:
    """Tasks that share a process: each its own, but few processes when in a hurry."""
    timings, errors, memories = [], [], []
    for work in chosen:
        base = {"work": work.name, "quick": quick}
        if work.error is not None:
            errors.append({**base, "mode": "error"})
        for size in work.quick if quick else work.sizes:
            sized = {**base, "size": dict(size)}
            if work.predicted is None:
                timings.append({**sized, "mode": "time"})
            names = list(work.contenders(backend, size)) if work.memory else []
            if names and quick:
                memories.append({**sized, "mode": "memory", "contenders": names})
            elif names:
                memories += [
                    {**sized, "mode": "memory", "contenders": [name]} for name in names
                ]
    if quick:
        yield from (tasks for tasks in (timings + errors, memories) if tasks)
    else:
        yield from ([task] for task in timings + errors + memories)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
