"""What the expressions of a card read: one query of one head of one example."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.steps.expressions import Group, computed, parsed
from regard.seeing.steps.functions import CONSTANTS
from regard.seeing.steps.groups import widened
from regard.seeing.steps.images import image_names
from regard.seeing.steps.places import place_names
from regard.seeing.steps.sizes import Place, sizes_of
from regard.trace import Trace

# Arrays with an axis for queries and one for keys, and those with one for keys alone.
_PAIRS = ("scores", "weights", "mask", "bias")
_MEMORY = ("key", "value")
_PER_KEY = {*_MEMORY, *_PAIRS, "added", "x.key", "x.value", "x.inputs", "pixels"}
_PER_KEY |= {"made.key", "made.value", "made.scores", "made.weights"}


def names_of(trace: Trace, place: Place) -> dict[str, Any]:
    """The names an expression may use, all of one example.

    The arrays of the trace as the row sees them; ``whole``: the same with all heads and
    rows; ``batch``: with all examples too; ``x``: the inputs; ``p``: the layer's
    weights, with ``_`` for ``/``; ``settings``: its config; ``masks``: rows of the mask
    by cause; ``i``, ``h`` and ``T``, ``S``, ``H``: numbers. What only this mechanism
    has stands under its name.
    Of an image: ``pixels`` (H W, C), zero where hidden; ``row`` and ``column`` of the
    query's, ``columns`` of the output. Images have their channels last.

    ``made`` is what the steps so far came to, by the array it gives, at first the
    inputs of these names; ``place`` and ``key_places`` are positions.
    ``judged`` are the scores with the bias, ``seen`` what all causes together show,
    ``padded`` whether the query is padding.
    """
    sizes = sizes_of(trace)
    arrays, extra, given = widened(trace)
    rows = {n: _row(n, a, sizes, place) for n, a in arrays.items()}
    if "bias" in rows:
        rows["added"] = rows.pop("bias")
    masks = {n: _row("mask", a, sizes, place) for n, a in trace.masks.items()}
    by_cause = {f"{n}_mask": a for n, a in trace.masks.items()}
    everything = arrays | extra | by_cause
    whole = {n: _of_example(a, sizes, place) for n, a in everything.items()}
    inputs = {n: _of_example(a, sizes, place) for n, a in given.items()}
    mask = rows.get("mask", np.ones(sizes["S"], bool))
    return {
        **CONSTANTS,
        "judged": rows.get("scores"),
        "mask": mask,
        "added_given": "added" in rows,
        "answered": rows.get("output"),
        "seen": _seen(masks, rows.get("added"), len(np.atleast_1d(mask))),
        "padded": not np.all(masks.get("query", True)),
        "unconfirmed": False,  # in extra where a layer keeps its weights to itself
        "shown": _shown(trace, masks, whole, sizes),
        "asking": _asking(trace, whole, sizes),
        **{n: _extra_row(a, sizes, place) for n, a in extra.items()},
        **rows,
        "masks": Group("masks", masks),
        "whole": Group("whole", whole),
        "batch": Group("batch", everything),
        "made": Group("made", _first(inputs, place.query)),
        "x": Group("x", inputs),
        "i": place.query,
        "h": place.head,
        "key_head": _key_head(trace.settings, place.head, sizes["H"]),
        **{name: sizes[name] for name in "HTS"},
        **place_names(trace, sizes, place.example, place.query),
        "example": place.example,
        **image_names(trace, inputs, masks, sizes["T"], place.query),
    }


def _first(inputs: Mapping[str, Any], query: int) -> dict[str, Any]:
    """What goes into the first steps, where it goes in under these names."""
    found = {n: a for n, a in inputs.items() if n in _MEMORY and np.ndim(a) == 2}
    if "query" in inputs and np.ndim(inputs["query"]) == 2:
        found["query"] = inputs["query"][query]
    return found


def _shown(trace: Trace, masks: Any, whole: Any, sizes: Mapping[str, int]) -> Any:
    """Which keys are no padding, of those that came in; a table may have fewer."""
    count = sizes["S"] if trace.key is None else trace.key.shape[2]
    return masks.get("padding", whole.get("padding", np.ones(count, bool)))


def _asking(trace: Trace, whole: Any, sizes: Mapping[str, int]) -> Any:
    """Which queries are no padding."""
    if "query_mask" in whole:
        return whole["query_mask"].reshape(-1)
    query: Any = trace.inputs.get("query")
    return np.ones(np.shape(query)[1] if np.ndim(query) > 2 else sizes["T"], bool)


def _key_head(settings: Mapping[str, Any], head: int, heads: int) -> int:
    """Which head of keys and values a head of queries reads."""
    groups = settings.get("num_key_value_heads") or heads
    tiled = settings.get("head_order") == "tile"
    return head % groups if tiled else head * groups // heads


def _seen(masks: Mapping[str, Any], added: Any, count: int) -> np.ndarray:
    """What all causes together show of the keys; the layer's own keys are last."""
    seen = np.ones(count, bool)
    for part in masks.values():
        if np.ndim(part) == 1:  # of length one where it hides the whole query
            seen[: len(part) if len(part) > 1 else count] &= part
    if added is not None and np.ndim(added) == 1:
        seen[: len(added)] &= ~np.isneginf(added)
    return seen


def per_key_names(names: Mapping[str, Any], keys: int, own: bool) -> frozenset[str]:
    """Those whose first axis is that of the keys; ``own``: of these, and no others."""
    found = {n for n, a in names.items() if _lies_along(a, keys)}
    return frozenset(found | _PER_KEY if own else found)


def _lies_along(array: Any, keys: int) -> bool:
    return isinstance(array, np.ndarray) and array.shape == (keys,)


def reading(names: Mapping[str, Any], reads: Mapping[str, str]) -> dict[str, Any]:
    """The names of a layer within: ``reads`` says which mean something else there."""
    if not reads:
        return dict(names)
    found = {new: computed(parsed(by), names) for new, by in reads.items()}
    inputs = {n.removeprefix("x."): a for n, a in found.items() if n.startswith("x.")}
    own = {n: a for n, a in found.items() if not n.startswith("x.")}
    return {**names, **own, "x": Group("x", {**names["x"].values, **inputs})}


def _of_example(array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """Without the batch axis, where there is one."""
    if np.ndim(array) and len(array) == sizes["B"]:
        return array[place.example]
    return array[0] if np.ndim(array) > 1 and len(array) == 1 else array


def _row(name: str, array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """The part of an array of the trace that belongs to the query."""
    rows = sizes["B"] * sizes["T"]
    if array.shape[:3] == (rows, 1, 1) and rows > sizes["B"]:  # each of its features
        return array[place.example * sizes["T"] + place.query, 0, 0]
    if name in _PAIRS and array.ndim == 4 and array.shape[2] in (1, sizes["T"]):
        heads = max(sizes["H"], array.shape[1])
        keys = array.shape[3] if array.shape[3] > 1 else sizes["S"]
        shape = (sizes["B"], heads, sizes["T"], keys)
        return np.broadcast_to(array, shape)[place.example, place.head, place.query]
    found = _of_example(array, sizes, place)
    if np.ndim(found) == 3 and name in _MEMORY:
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


def _extra_row(array: Any, sizes: Mapping[str, int], place: Place) -> Any:
    """(B, H, T, …) the row; (B, …) the example; anything else as it is."""
    batch, heads, length = (*np.shape(array)[:3], 0, 0, 0)[:3]
    if (batch, length) == (sizes["B"], sizes["T"]) and heads in (1, sizes["H"]):
        return array[place.example, place.head % heads, place.query]
    return _of_example(array, sizes, place)
