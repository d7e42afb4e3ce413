"""Weights of other rows than the one that is told, by the normalizer's own steps."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from regard.cards import StepEntry
from regard.seeing.steps.entries import Scoped, expanded
from regard.seeing.steps.expressions import Group, computed, parsed
from regard.seeing.steps.groups import parameters_of, settings_group
from regard.trace import Trace

Array = Any
_STEPS = (StepEntry(use="normalizer"),)


def normalizer_of(
    trace: Trace, scoped: Scoped, names: Mapping[str, Any]
) -> Callable[..., Array]:
    """The normalizer of a layer as a function of any scores, for its expressions.

    ``normalized(scores, mask, row, below)``: scores (S,) or (T, S) to weights, or of a
    table the row of this number alone; the weights of the normalizer, where it has any,
    lie below the path.
    """

    def normalized(
        scores: Array, mask: Array = True, row: Any = None, below: str = ""
    ) -> Array:
        scores = np.asarray(scores, "float64")
        seen = np.broadcast_to(mask, scores.shape)
        path = f"{scoped.below}/{below}".strip("/")
        inside = {**names, "p": parameters_of(trace, path)}
        tables = np.atleast_2d(scores), np.atleast_2d(seen)
        rows = range(len(tables[0])) if row is None else (row,)
        found = [_weights(scoped.settings, path, inside, tables, n) for n in rows]
        return found[0] if row is not None else np.reshape(found, scores.shape)

    return normalized


def _weights(
    settings: Mapping[str, Any],
    below: str,
    names: Mapping[str, Any],
    tables: tuple[Array, Array],
    row: int,
) -> Array:
    """What the steps that apply come to on one row of scores and mask (T, S)."""
    heads = (names["h"] + 1, *tables[0].shape)  # as a trace has them
    whole = dict(zip(("scores", "mask"), tables, strict=True))
    whole = {name: np.broadcast_to(each, heads) for name, each in whole.items()}
    names = {
        **names,
        "judged": tables[0][row],
        "mask": tables[1][row],
        "i": row,
        "added_given": False,
        "whole": Group("whole", whole),
    }
    value = None
    for step in expanded(_STEPS, settings, below):
        own = {**names, "settings": settings_group(step.settings)}
        own |= {new: computed(parsed(by), own) for new, by in step.reads.items()}
        condition = step.entry.when
        if not condition or np.all(computed(parsed(condition), own)):
            value = names[step.entry.name] = computed(parsed(step.entry.by), own)
    return value
