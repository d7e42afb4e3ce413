"""What a reader of the page may change: softmax of recorded scores over values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.reports.explained.once import Once
from regard.reports.explained.plain import DRAWN, plain
from regard.seeing.elementary import softmax
from regard.trace import Trace


def playground(
    trace: Trace, rows: list, sizes: Mapping[str, int], vectors: Once
) -> dict[str, Any]:
    """Values and scale, and whether the weights are a softmax of the scores at all.

    Values are numbers of ``vectors``.
    """
    flat = [row for each in rows for head in each for row in head]
    softmaxes = all("scores" in row and "weights" in row for row in flat) and all(
        _is_softmax(row) for row in flat
    )
    if not softmaxes or trace.value is None or trace.value.ndim != 4:
        return {"toy": False, "values": [], "scale": 0}
    value = np.broadcast_to(
        trace.value, (sizes["B"], sizes["H"], *trace.value.shape[2:])
    )
    chosen = value[: len(rows)]
    return {
        "toy": True,
        "values": [
            [[vectors.number(plain(v, DRAWN)) for v in head] for head in each]
            for each in chosen
        ],
        "scale": _scale(trace),
    }


def _is_softmax(row: Mapping[str, Any]) -> bool:
    if not all(isinstance(x, float) for x in row["weights"]):
        return False  # NaN, as a word
    scores = [x if isinstance(x, float) else -np.inf for x in row["scores"]]
    found = softmax(np.array(scores), np.array(row["seen"], bool))
    return bool(np.allclose(found, row["weights"], atol=1e-4))


def _scale(trace: Trace) -> float:
    """What products were multiplied by, where that is 1/√d; 0 where it is not."""
    width = trace.settings.get("key_dim")
    changed = trace.settings.get("scale") or trace.settings.get("query_key_norm")
    return 0.0 if width is None or changed else float(width) ** -0.5
