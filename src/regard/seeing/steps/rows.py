"""The part of an array that belongs to one query of one head of one example."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.steps.sizes import Place

# Arrays with an axis for queries and one for keys, and those with one for keys alone.
PAIRS = ("scores", "weights", "mask", "bias")
MEMORY = ("key", "value")


def of_example(array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """Without the batch axis, where there is one."""
    if np.ndim(array) and len(array) == sizes["B"]:
        return array[place.example]
    return array[0] if np.ndim(array) > 1 and len(array) == 1 else array


def row_of(name: str, array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """The part of an array of the trace that belongs to the query."""
    rows = sizes["B"] * sizes["T"]
    if array.shape[:3] == (rows, 1, 1) and rows > sizes["B"]:  # each of its features
        return array[place.example * sizes["T"] + place.query, 0, 0]
    if name in PAIRS and array.ndim == 4 and array.shape[2] in (1, sizes["T"]):
        heads = max(sizes["H"], array.shape[1])
        keys = array.shape[3] if array.shape[3] > 1 else sizes["S"]
        shape = (sizes["B"], heads, sizes["T"], keys)
        return np.broadcast_to(array, shape)[place.example, place.head, place.query]
    found = of_example(array, sizes, place)
    if np.ndim(found) == 3 and name in MEMORY:
        return found[place.head * len(found) // sizes["H"]]  # heads may share one
    if np.ndim(found) > 1 and name in ("query", "context", "output", "weights"):
        return _asked(found, sizes, place)
    if name == "output" and np.shape(found) == (sizes["T"],) and sizes["T"] > 1:
        return found[place.query]
    return found


def _asked(found: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """The row that belongs to the query, of (T, …), (H, T, …) or an image."""
    rows = found.reshape(-1, found.shape[-1])
    if len(rows) == sizes["T"]:
        return rows[place.query]
    if len(rows) == sizes["H"] * sizes["T"]:
        return rows[place.head * sizes["T"] + place.query]
    if found.ndim == 2:
        return found[min(place.query, len(found) - 1)]
    return found


def extra_row(array: Any, sizes: Mapping[str, int], place: Place) -> Any:
    """(B, H, T, …) the row; (B, …) the example; anything else as it is."""
    batch, heads, length = (*np.shape(array)[:3], 0, 0, 0)[:3]
    if (batch, length) == (sizes["B"], sizes["T"]) and heads in (1, sizes["H"]):
        return array[place.example, place.head % heads, place.query]
    return of_example(array, sizes, place)
