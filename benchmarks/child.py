"""A process that measures: `python -m benchmarks.child` with a task as JSON.

It takes one unit after another, a unit being a work at a size, and prints a line for
each; what fails is a line too. The backend is that of ``KERAS_BACKEND``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from dataclasses import asdict

import numpy as np

from benchmarks import limits
from benchmarks.harness import FULL, QUICK, Work, memory_of
from benchmarks.turns import time_in_turns
from benchmarks.works import works

MARK = "@measured "


def timed(work: Work, size: dict, quick: bool) -> dict:
    """Times of all contenders in turns, and how far their results are apart."""
    backend = os.environ["KERAS_BACKEND"]
    builders = work.contenders(backend, size)
    contenders = {name: build() for name, build in builders.items()}
    found: dict = {"different": differences(contenders)}
    turns = time_in_turns(contenders, QUICK if quick else FULL)
    found.update({"times": turns.times, "disturbed": turns.disturbed})
    if work.cost is not None:
        costs = {action: asdict(work.cost(size, action)) for action in found["times"]}
        found["cost"] = costs
    found["units"] = work.units(size)
    return found


def differences(contenders) -> dict[str, float]:
    """The largest difference from our results, relative to their size, per peer."""
    results = {name: each.result() for name, each in contenders.items() if each.result}
    ours = results.pop("regard", None)
    if ours is None:
        return {}
    return {
        name: max(
            float(np.abs(mine - other).max() / np.abs(mine).max())
            for mine, other in zip(ours, theirs, strict=True)
        )
        for name, theirs in results.items()
    }


def remembered(work: Work, size: dict, names: list[str]) -> dict:
    """Memory of each contender, built one after another."""
    builders = work.contenders(os.environ["KERAS_BACKEND"], size)
    found = {}
    for name in names or builders:
        found[name] = memory_of(builders[name]())
        gc.collect()
    result: dict = {"memory": found}
    if work.predicted is not None:
        result["predicted"] = work.predicted(size)
    return result


def unit(task: dict, work: Work) -> dict:
    if task["mode"] == "error":
        assert work.error is not None
        return {"error": dict(work.error(os.environ["KERAS_BACKEND"]))}
    if task["mode"] == "memory":
        return remembered(work, task["size"], task["contenders"])
    return timed(work, task["size"], task["quick"])


def main() -> None:
    import torch  # noqa: F401 - before JAX and TensorFlow, or it may crash

    tasks = json.loads(sys.argv[1])
    known = works()
    for number, task in enumerate(tasks):
        if task["mode"] == "limits":
            found = limits.measure()
        else:
            try:
                found = unit(task, known[task["work"]])
            except Exception as problem:
                traceback.print_exc()
                words = " ".join(str(problem).split())[:300]
                found = {"failure": f"{type(problem).__name__}: {words}"}
        print(MARK + json.dumps({"number": number, "found": found}), flush=True)


if __name__ == "__main__":
    main()
