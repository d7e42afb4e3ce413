"""What was recomputed beside what was recorded."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.steps.check import Check
from regard.seeing.steps.expressions import computed, parsed
from regard.trace import Trace

# What recomputing may differ by, relative to the largest entry.
_HUGE = 1e37  # below minus this stands what is as good as minus infinity
_TOLERANCES = {"float16": 5e-3, "bfloat16": 4e-2, "float32": 2e-5, "float64": 1e-9}


def checked(
    holds: str, gives: str, value: np.ndarray, names: Mapping[str, Any], trace: Trace
) -> Check | None:
    """What must hold, or what the value must equal, if there is either."""
    if holds:
        true = bool(np.all(computed(parsed(holds), names)))
        return Check(holds, 0.0 if true else np.inf, 0.0)
    if not gives or gives.partition(".")[0] not in names:  # not recorded
        return None
    found = computed(parsed(gives), names)
    if found is None:
        return None
    recorded = np.asarray(found)
    if value.shape != recorded.shape:
        raise ValueError(f"{gives} has shape {recorded.shape}, this {value.shape}")
    if recorded.dtype == bool:
        nothing = "" if value.size else "empty"
        return Check(gives, float(np.sum(recorded != value)), 0.0, nothing=nothing)
    recorded, value = (np.where(a < -1e38, -np.inf, a) for a in (recorded, value))
    with np.errstate(invalid="ignore"):  # infinities may be equal, NaN too
        same = (recorded == value) | (np.maximum(recorded, value) < -_HUGE)
        same |= np.isnan(recorded) & np.isnan(value)
        differences = np.where(same, 0.0, np.abs(recorded - value))
    hidden = ""  # what is hidden is not projected as it came
    if gives == "query" and names["padded"]:
        differences, hidden = np.zeros(0), "hidden query"
    if gives in ("key", "value"):
        shown = names["shown"][: len(differences)]
        differences, hidden = differences[: len(shown)][shown], "hidden keys"
    if gives == "weights" and _zeros_beside_nan(recorded, value, differences):
        differences, hidden = np.zeros(0), "partly nan"
    finite = np.abs(recorded[np.abs(recorded) < _HUGE])
    allowed = _tolerance(trace) * max(1.0, float(finite.max(initial=0.0)))
    drops = trace.training and bool(trace.settings.get("dropout"))
    dropping = drops and gives in ("context", "output")
    nothing = "" if differences.size else hidden or "empty"
    difference = float(np.max(differences, initial=0.0))
    return Check(gives, difference, allowed, dropping, nothing)


def _zeros_beside_nan(recorded: Any, value: Any, differences: Any) -> bool:
    """Whether softmax of a row with NaN, NaN everywhere, has 0 instead, and only so.

    So TensorFlow's, other than NumPy's.
    """
    zeros = np.isnan(value) & (recorded == 0)
    rest = np.where(zeros, 0.0, differences)
    return bool(np.isnan(recorded).any() and zeros.any() and not rest.any())


def _tolerance(trace: Trace) -> float:
    """By the coarsest dtype the layer computed in: its own, or of what it recorded."""
    policy = trace.settings.get("dtype", "float32")
    if isinstance(policy, Mapping):
        policy = (policy.get("config") or {}).get("name", "float32")
    kind = str(policy).removeprefix("mixed_")
    kinds = [kind, *(str(each.dtype) for _, each in trace.arrays())]
    known = [_TOLERANCES[each] for each in kinds if each in _TOLERANCES]
    return max(known, default=_TOLERANCES["float32"])
