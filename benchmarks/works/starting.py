"""How long it takes until the first result: importing, compiling."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.harness import Contender, Goal, Work
from benchmarks.works import additive, multi_head


def importing(name):
    """Seconds that the import takes in a new interpreter, as that one counts them.

    From bytecode, which an installer writes and a first import otherwise.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    code = (
        "import time; start = time.perf_counter(); "
        f"import {name}; print(time.perf_counter() - start)"
    )

    def run() -> float:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, stdout=-1, stderr=-3, env=environment, check=True
        )
        return float(done.stdout.split()[-1])

    return Contender({"import": run})


def first(build):
    """Seconds of building a layer, compiling it and running it once."""

    def run() -> float:
        start = time.perf_counter()
        build().actions["forward"]()
        return time.perf_counter() - start

    return Contender({"first call": run})


IMPORT = Work(
    name="import",
    title="import regard, after which Keras is imported too",
    sizes=({},),
    quick=({},),
    contenders=lambda backend, size: {
        "regard": lambda: importing("regard"),
        "keras": lambda: importing("keras"),
    },
    goals=lambda backend: [Goal("extra", "import", "keras", 0.15)],
)


def first_call(name, ours, theirs, size):
    return Work(
        name=name,
        title="building a layer, compiling it, running it once",
        sizes=(size,),
        quick=(size,),
        contenders=lambda backend, size: {
            "regard": lambda: first(lambda: ours(size)),
            "keras": lambda: first(lambda: theirs(size)),
        },
        goals=lambda backend: [Goal("speed", "first call", "keras", 1 / 1.5)],
    )


WORKS = (
    IMPORT,
    first_call(
        "first_multi_head",
        multi_head.ours,
        multi_head.of_keras,
        {"length": 128, "width": 128},
    ),
    first_call("first_additive", additive.ours, additive.of_keras, {"length": 128}),
)
