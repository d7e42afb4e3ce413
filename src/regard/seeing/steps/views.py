"""What the expressions of a card read: one query of one head of one example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from regard.seeing.steps.expressions import Group
from regard.seeing.steps.functions import CONSTANTS
from regard.trace import Trace

# Arrays with an axis for queries and one for keys, and those with one for keys alone.
_PAIRS = ("scores", "weights", "mask", "bias")
_MEMORY = ("key", "value")


@dataclass(frozen=True)
class Place:
    """Which numbers of a trace are explained."""

    example: int
    head: int
    query: int


def sizes_of(trace: Trace) -> dict[str, int]:
    """``B H T S``, as far as the trace tells."""
    table = next(
        (a for a in (trace.weights, trace.scores) if a is not None and a.ndim == 4),
        None,
    )
    if table is not None:
        return dict(zip("BHTS", table.shape, strict=True))
    found = {"B": 1, "H": 1, "T": 1, "S": 1}
    first = next(iter(trace.inputs.values()), trace.output)
    if first is not None and np.ndim(first):
        found["B"] = len(first)
    if trace.query is not None:
        found |= dict(zip("BHT", trace.query.shape, strict=False))
    elif first is not None and np.ndim(first) > 2:  # (B, T, D)
        found["T"] = found["S"] = np.shape(first)[1]
    if trace.key is not None:
        found["S"] = trace.key.shape[2]
    return found


def names_of(trace: Trace, place: Place) -> dict[str, Any]:
    """The names an expression may use, all of one example.

    The arrays of the trace as the row sees them; ``whole``: the same with all heads and
    rows; ``x``: the inputs; ``p``: the layer's weights, with ``_`` for ``/``;
    ``settings``: its config; ``masks``: rows of the mask by cause; ``i``, ``h`` and
    ``T``, ``S``, ``H``: numbers. What only this mechanism has stands under its name.

    ``judged`` are the scores with the bias, ``seen`` what all causes together show.
    """
    sizes = sizes_of(trace)
    arrays, extra, given = _widened(trace)
    rows = {n: _row(n, a, sizes, place) for n, a in arrays.items()}
    if "bias" in rows:
        rows["added"] = rows.pop("bias")
    masks = {n: _row("mask", a, sizes, place) for n, a in trace.masks.items()}
    whole = {n: _of_example(a, sizes, place) for n, a in (arrays | extra).items()}
    inputs = {n: _of_example(a, sizes, place) for n, a in given.items()}
    mask = rows.get("mask", np.ones(sizes["S"], bool))
    return {
        **CONSTANTS,
        "judged": rows.get("scores"),
        "mask": mask,
        "added_given": "added" in rows,
        "seen": _seen(masks, rows.get("added"), len(np.atleast_1d(mask))),
        "shown": masks.get("padding", np.ones(sizes["S"], bool)),
        **{n: _extra_row(a, sizes, place) for n, a in extra.items()},
        **rows,
        "masks": Group("masks", masks),
        "whole": Group("whole", whole),
        "x": Group("x", inputs),
        "i": place.query,
        "h": place.head,
        "key_head": _key_head(trace.settings, place.head, sizes["H"]),
        **{name: sizes[name] for name in "HTS"},
    }


_WIDENED: WeakKeyDictionary[Trace, Any] = WeakKeyDictionary()


def _widened(trace: Trace) -> tuple[dict[str, Any], ...]:
    """Arrays, extra and inputs in float64, made once for all rows of a trace."""
    if trace not in _WIDENED:
        groups = (dict(trace.arrays()), trace.extra, trace.inputs)
        _WIDENED[trace] = tuple(
            {n: wide(a) for n, a in group.items() if a is not None} for group in groups
        )
    return _WIDENED[trace]


_PARAMETERS: WeakKeyDictionary[Trace, dict[str, Group]] = WeakKeyDictionary()


def parameters_of(trace: Trace, below: str) -> Group:
    """The weights below a path, all of them where there are none below it."""
    known = _PARAMETERS.setdefault(trace, {})
    if below not in known:
        known[below] = parameters_group(trace.parameters, below)
    return known[below]


def _key_head(settings: Mapping[str, Any], head: int, heads: int) -> int:
    """Which head of keys and values a head of queries reads."""
    groups = settings.get("num_key_value_heads") or heads
    tiled = settings.get("head_order") == "tile"
    return head % groups if tiled else head * groups // heads


def _seen(masks: Mapping[str, Any], added: Any, count: int) -> np.ndarray:
    """What all causes together show of the keys; the layer's own keys are last."""
    seen = np.ones(count, bool)
    for part in masks.values():
        if np.ndim(part) == 1:
            seen[: len(part)] &= part
    if added is not None and np.ndim(added) == 1:
        seen[: len(added)] &= ~np.isneginf(added)
    return seen


def per_key_names(names: Mapping[str, Any], keys: int) -> frozenset[str]:
    """Those whose first axis is that of the keys."""
    own = {"key", "value", *_PAIRS, "added", "x.key", "x.value"}
    return frozenset(own | {n for n, a in names.items() if _lies_along(a, keys)})


def _lies_along(array: Any, keys: int) -> bool:
    return isinstance(array, np.ndarray) and array.shape == (keys,)


def parameters_group(parameters: Mapping[str, np.ndarray], below: str) -> Group:
    inside = {n: a for n, a in parameters.items() if n.startswith(f"{below}/")}
    if below and inside:
        parameters = {n.removeprefix(f"{below}/"): a for n, a in inside.items()}
    return Group("p", {n.replace("/", "_"): wide(a) for n, a in parameters.items()})


def settings_group(settings: Mapping[str, Any]) -> Group:
    """A config; a part or layer inside is a group of its own, with its ``kind``."""
    return Group("settings", {name: _setting(each) for name, each in settings.items()})


def _setting(value: Any) -> Any:
    if isinstance(value, Mapping) and "class_name" in value:
        inside = settings_group(value.get("config") or {})
        inside.values = {
            **inside.values,
            "kind": value["class_name"].rpartition(">")[2],
        }
        return inside
    return value


def wide(array: Any) -> Any:
    """Numbers in float64; whole numbers and truth values as they are."""
    array = np.asarray(array)
    return array.astype("float64") if array.dtype.kind == "f" else array


def _of_example(array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """Without the batch axis, where there is one."""
    if np.ndim(array) and len(array) == sizes["B"]:
        return array[place.example]
    return array[0] if np.ndim(array) > 1 and len(array) == 1 else array


def _row(name: str, array: np.ndarray, sizes: Mapping[str, int], place: Place) -> Any:
    """The part of an array of the trace that belongs to the query."""
    if name in _PAIRS and array.ndim == 4:
        heads = max(sizes["H"], array.shape[1])
        shape = (sizes["B"], heads, sizes["T"], array.shape[3])
        return np.broadcast_to(array, shape)[place.example, place.head, place.query]
    found = _of_example(array, sizes, place)
    if np.ndim(found) == 3 and name in (*_MEMORY, "query", "context"):
        found = found[place.head * len(found) // sizes["H"]]  # heads may share one
        return found if name in _MEMORY else _taken(found, place.query)
    if np.ndim(found) == 2 and name in ("query", "context", "output"):
        return _taken(found, place.query)
    return found


def _taken(array: np.ndarray, number: int) -> np.ndarray:
    return array[number] if number < len(array) else array[-1]


def _extra_row(array: Any, sizes: Mapping[str, int], place: Place) -> Any:
    """(B, H, T, …) the row; (B, …) the example; anything else as it is."""
    if np.shape(array)[:3] == tuple(sizes[name] for name in "BHT"):
        return array[place.example, place.head, place.query]
    return _of_example(array, sizes, place)
