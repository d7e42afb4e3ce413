"""Put one case through our layer and say how it compares."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from keras import ops

from tests.golden import adapters, table
from tests.golden.cases import Arrays, Case, input_of, read_case
from tests.golden.gradients import Goal, evaluate
from tests.golden.tools import ADAPTERS, Run

__all__ = ["Verdict", "adapters", "judge", "judge_entry"]

MATCHED, DEFECT, LATER, FAILED = "matched", "defect", "out of scope", "FAILED"


@dataclass(frozen=True)
class Verdict:
    """How one case compares, and why."""

    id: str
    status: str
    reason: str = ""

    def __str__(self) -> str:
        line = f"{self.status:<12}  {self.id}"
        return f"{line}  ({self.reason})" if self.reason else line

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def judge_entry(folder: Path, entry: dict) -> Verdict:
    """The verdict on one entry of an index; whatever goes wrong is a failure."""
    try:
        return judge(read_case(folder, entry))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        return Verdict(str(entry.get("id", "?")), FAILED, reason)


def judge(case: Case) -> Verdict:
    """Compare outputs, weights and gradients with what the table lets us expect."""
    row = table.find(case)
    if row is not None and row.correct is None:
        return Verdict(case.id, LATER, row.reason)
    adapter = ADAPTERS.get(case.name)
    if adapter is None:
        return Verdict(case.id, FAILED, "neither an adapter nor a row of the table")
    wrong = []
    if row is None or adapter.reproduces:
        run = adapter.run(case, faithful=adapter.reproduces)
        wrong += differences(case, run, case.expected, "")
    if row is not None:
        run = adapter.run(case, faithful=False)
        wrong += differences(case, run, row.correct(case), "corrected ")
    elif adapter.reproduces:
        run = adapter.run(case, faithful=False)
        wrong += differences(case, run, case.expected, "by default ")
    if wrong:
        return Verdict(case.id, FAILED, "; ".join(wrong))
    if row is not None:
        return Verdict(case.id, DEFECT, row.reason)
    return Verdict(case.id, MATCHED)


def differences(case: Case, run: Run, expected: Arrays, note: str) -> list[str]:
    """What lies outside the tolerance, in words."""
    given = {name: as_tensor(array) for name, array in case.given.items()}
    slopes = {name: input_of(name) for name in expected if name.startswith("grad.")}
    weighting = as_tensor(case.arrays["R"]) if slopes else None
    goal = Goal(case.main_output, weighting, tuple(slopes.values()))
    found, gradients = evaluate(run, given, goal)
    found |= {name: gradients[source] for name, source in slopes.items()}
    wrong = []
    for name, wanted in expected.items():
        kind = "grad_atol" if name in slopes else "atol"
        problem = compare(found.get(name), wanted, case.tolerance, kind)
        if problem:
            wrong.append(f"{note}{name}: {problem}")
    return wrong


def compare(found, wanted, tolerance, kind: str) -> str:
    """An empty string where they agree, else by how much they do not."""
    if found is None:
        return "not returned"
    found, wanted = np.asarray(found, "float64"), np.asarray(wanted, "float64")
    if found.shape != wanted.shape:
        return f"shape {found.shape} instead of {wanted.shape}"
    if not np.isfinite(found).all():
        return "not finite"
    atol = tolerance.get(kind, tolerance["atol"])
    excess = np.abs(found - wanted) - tolerance["rtol"] * np.abs(wanted)
    if excess.size and not excess.max() <= atol:
        return f"off by {np.abs(found - wanted).max():.2e} where {atol:.0e} is allowed"
    return ""


def as_tensor(array: np.ndarray):
    """Floats as float32, whole numbers as int32, booleans as they are."""
    if array.dtype == bool:
        return ops.convert_to_tensor(array)
    kind = "int32" if np.issubdtype(array.dtype, np.integer) else "float32"
    return ops.convert_to_tensor(array.astype(kind))
