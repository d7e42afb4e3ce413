"""What the expressions of a card read: one query of one head of one example."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.steps.expressions import computed, parsed
from regard.seeing.steps.functions import CONSTANTS
from regard.seeing.steps.group import Group
from regard.seeing.steps.groups import widened
from regard.seeing.steps.heads import key_head
from regard.seeing.steps.images import image_names
from regard.seeing.steps.places import place_names
from regard.seeing.steps.rows import MEMORY, PAIRS, extra_row, of_example, row_of
from regard.seeing.steps.sizes import Place, sizes_of
from regard.trace import Trace

# Arrays whose first axis is that of the keys; the size alone would not tell, for there
# may be as many keys as features, queries or bells.
PER_KEY = frozenset((*MEMORY, *PAIRS)) | frozenset(
    "added judged seen shown key_places pixels x.key x.value x.inputs x.distances[i] "
    "x.attention_weights[i] made.key made.value made.scores made.weights p_choose "
    "arrived previous cumulative alignment coverage chosen probabilities".split()
)


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
    rows = {n: row_of(n, a, sizes, place) for n, a in arrays.items()}
    if "bias" in rows:
        rows["added"] = rows.pop("bias")
    masks = {n: row_of("mask", a, sizes, place) for n, a in trace.masks.items()}
    by_cause = {f"{n}_mask": a for n, a in trace.masks.items()}
    everything = arrays | extra | by_cause
    whole = {n: of_example(a, sizes, place) for n, a in everything.items()}
    inputs = {n: of_example(a, sizes, place) for n, a in given.items()}
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
        **{n: extra_row(a, sizes, place) for n, a in extra.items()},
        **rows,
        "masks": Group("masks", masks),
        "whole": Group("whole", whole),
        "batch": Group("batch", everything),
        "made": Group("made", _first(inputs, place.query)),
        "x": Group("x", inputs),
        "i": place.query,
        "h": place.head,
        "key_head": key_head(trace.settings, place.head, sizes["H"]),
        **{name: sizes[name] for name in "HTS"},
        **place_names(trace, sizes, place.example, place.query),
        "example": place.example,
        **image_names(trace, inputs, masks, sizes["T"], place.query),
    }


def _first(inputs: Mapping[str, Any], query: int) -> dict[str, Any]:
    """What goes into the first steps, where it goes in under these names."""
    found = {n: a for n, a in inputs.items() if n in MEMORY and np.ndim(a) == 2}
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


def _seen(masks: Mapping[str, Any], added: Any, count: int) -> np.ndarray:
    """What all causes together show of the keys; the layer's own keys are last."""
    seen = np.ones(count, bool)
    for part in masks.values():
        if np.ndim(part) == 1:  # of length one where it hides the whole query
            seen[: len(part) if len(part) > 1 else count] &= part
    if added is not None and np.ndim(added) == 1:
        seen[: len(added)] &= ~np.isneginf(added)
    return seen


def reading(names: Mapping[str, Any], reads: Mapping[str, str]) -> dict[str, Any]:
    """The names of a layer within: ``reads`` says which mean something else there."""
    if not reads:
        return dict(names)
    found = {new: computed(parsed(by), names) for new, by in reads.items()}
    inputs = {n.removeprefix("x."): a for n, a in found.items() if n.startswith("x.")}
    own = {n: a for n, a in found.items() if not n.startswith("x.")}
    return {**names, **own, "x": Group("x", {**names["x"].values, **inputs})}
