"""What the calls of a capture look like, in a few numbers for each head."""

from collections.abc import Iterator

import numpy as np

from regard.seeing.diagnostics import diagnose
from regard.seeing.maps import Maps
from regard.trace import Trace


def calls_by_name(maps: Maps) -> Iterator[tuple[str, Trace]]:
    """Every call that has weights, by a name of its own."""
    found = False
    for name, calls in maps.items():
        for number, trace in enumerate(calls):
            if trace.weights is None and "top_weights" in trace.extra:
                raise ValueError(
                    f"inputs must be few enough to keep all weights of {name!r}, which "
                    f"made an outline. Pass fewer examples, or rows= or heads=."
                )
            if trace.weights is not None:
                found = True
                yield name if not number else f"{name}#{number + 1}", trace
    if not found:
        raise ValueError(
            "layers must be called with inputs and have weights to show. Got none from "
            f"{', '.join(maps)}."
        )


def numbers_of_heads(name: str, trace: Trace) -> dict[str, float]:
    """Means over the rows of all examples, for each head (B, H, T, S)."""
    weights = trace.weights
    if weights is None or weights.ndim != 4:
        return {}
    mask = np.ones((), bool) if trace.mask is None else trace.mask
    allowed = np.broadcast_to(mask, weights.shape)
    names = trace.extra.get("heads", range(weights.shape[1]))
    found = {}
    for place, head in enumerate(names):
        pairs = zip(weights[:, place], allowed[:, place], strict=True)
        each = [diagnose(*pair) for pair in pairs]
        rows = np.array([one.rows for one in each])
        if not rows.any():
            continue
        measures = {
            "entropy": [one.entropy for one in each],
            "effective positions": [one.effective for one in each],
        }
        if "rows" not in trace.extra:
            measures["off-diagonality"] = [one.off_diagonality for one in each]
        for measure, values in measures.items():
            mean = np.average(values, weights=rows)
            found[f"{measure}/{name}/{head}"] = float(mean)
    return found
