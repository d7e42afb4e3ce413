"""Measuring in processes of their own: one that dies takes only its unit with it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.child import MARK

ROOT = Path(__file__).parents[1]
# Freed blocks go back to the system at once, so that peaks show what was needed.
RETURNING = {
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1",
}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def measure(
    tasks: list[dict], backend: str, limit: Callable[[], float]
) -> Iterator[tuple]:
    """Yield ``(task, found)`` for each, in one process as long as that lives.

    ``limit()``: seconds that the next task may take. A task whose process dies or takes
    longer is found to be a ``failure``; the others get a new process.
    """
    while tasks:
        if limit() <= 0:
            yield from ((task, {"failure": "no time was left"}) for task in tasks)
            return
        process = _Child(tasks, backend)
        try:
            for number in range(len(tasks)):
                found = process.next(max(limit(), 0))
                died = found.pop("died", False)
                yield tasks[number], found
                if died:
                    tasks = tasks[number + 1 :]
                    break
            else:
                return
        finally:
            process.end()


class _Child:
    def __init__(self, tasks, backend):
        environment = {**os.environ, **QUIET, "KERAS_BACKEND": backend}
        paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        if tasks[0]["mode"] == "memory":
            environment.update(RETURNING)
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", json.dumps(tasks)],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the parent, which ends this one
        )
        self._lines: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            if line.startswith(MARK):
                self._lines.put(json.loads(line[len(MARK) :])["found"])
        self._lines.put(None)

    def next(self, limit):
        try:
            found = self._lines.get(timeout=limit)
        except queue.Empty:
            return {"failure": f"took longer than {limit:.0f} s", "died": True}
        if found is not None:
            return found
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["no message"]
        return {"failure": f"exit {code}: {lines[-1][:200]}", "died": True}

    def end(self):
        if self._process.poll() is None:
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()
