"""How many queries, keys and heads a trace has, and which of them are looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.steps.images import image_of
from regard.trace import Trace


@dataclass(frozen=True)
class Place:
    """Which numbers of a trace are explained."""

    example: int
    head: int
    query: int


def sizes_of(trace: Trace) -> dict[str, int]:
    """``B H T S``, as far as the trace tells.

    Queries are the rows of the table, or the places of the output where it has none or
    one row for all: steps, nodes, the pixels of an image line by line.
    """
    output: Any = trace.output
    first: Any = next(iter(trace.inputs.values()), output)
    batch = len(first) if np.ndim(first) else None
    places = _places_of(trace)
    image = places if "data_format" in trace.settings else None
    tables = (trace.weights, trace.scores)
    weights = trace.weights
    other = trace.settings.get("whose") == "other"
    if other and weights is not None and weights.ndim == 4:
        # What goes in and comes out may stand otherwise: images line by line, no batch.
        return dict(zip("BHTS", weights.shape, strict=True))
    table = next((a for a in tables if _is_table(a, batch, image)), None)
    if table is not None:
        found = dict(zip("BHTS", table.shape, strict=True))
        alone = found["H"] == found["T"] == 1
        return {**found, "T": places} if alone else found
    found = {"B": batch or 1, "T": places, "S": places}
    found["H"] = trace.settings.get("num_heads") or 1
    if trace.query is not None:
        found |= dict(zip("BHT", trace.query.shape, strict=False))
    elif np.ndim(first) == 3:  # (B, S, D)
        found["S"] = np.shape(first)[1]
        found["T"] = found["S"] if np.ndim(output) != 3 else places
    if trace.key is not None:
        found["S"] = trace.key.shape[2]
    rows = int(np.prod(np.shape(output)[:-1]))
    if weights is not None and weights.shape[:3] == (rows, 1, 1):
        # Each place weighs its own features.
        found |= {"T": rows // found["B"], "S": weights.shape[3]}
    return found


def _is_table(array: Any, batch: int | None, pixels: int | None) -> bool:
    """(B, H, T, S), with a row for each pixel, or one for all, where images are read.

    Layers over lines or windows count those among the batch, gates have no rows.
    """
    if np.ndim(array) != 4 or batch not in (None, len(array)):
        return False
    return pixels in (None, array.shape[2]) or array.shape[1:3] == (1, 1)


def _places_of(trace: Trace) -> int:
    """How many rows the output has."""
    image = image_of(trace)
    if image is not None:
        return image[0] * image[1]
    output: Any = trace.output
    return output.shape[1] if np.ndim(output) > 2 else 1
