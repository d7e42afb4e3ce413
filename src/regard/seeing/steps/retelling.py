"""The same steps once more, for rows beside the one that is told.

Expressions call them: ``normalized`` is the layer's normalizer, ``attended`` all that
comes between scores and what is read, ``competed`` the same for all rows together.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from regard.cards import StepEntry
from regard.seeing.steps.entries import Scoped, expanded
from regard.seeing.steps.expressions import computed, parsed
from regard.seeing.steps.group import Group
from regard.seeing.steps.groups import parameters_of, settings_group
from regard.seeing.steps.reads import asked_by
from regard.seeing.steps.sizes import Place
from regard.seeing.steps.views import names_of, reading
from regard.trace import Trace

Array = Any
Names = Mapping[str, Any]
_ARRAYS = ("scores", "query", "key", "value", "weights")
_NORMALIZER = (StepEntry(use="normalizer"),)
_JUDGING = (StepEntry(use="score"), StepEntry(use="mask", only=("judged",)))
_READING = (StepEntry(use="weigh"), StepEntry(use="read"))
_ATTENDING = (*_JUDGING, *_NORMALIZER, *_READING)


def retellers(trace: Trace, scoped: Scoped, names: Names) -> dict[str, Any]:
    """The functions, by name, for the expressions of one step."""
    again = partial(_told, trace, scoped, names)

    def normalized(
        scores: Array,
        mask: Array = True,
        row: Any = None,
        below: str = "",
        head: Any = None,
    ) -> Array:
        """Weights of scores (S,) or (T, S), or of a table the row of this number.

        The weights of the normalizer, where it has any, lie below the path; it may be
        asked as another head.
        """
        head = names["h"] if head is None else head
        scores = np.asarray(scores, "float64")
        seen = np.broadcast_to(mask, scores.shape)
        tables = np.atleast_2d(scores), np.atleast_2d(seen)
        heads = (head + 1, *tables[0].shape)  # as a trace has them
        whole = dict(zip(("scores", "mask"), tables, strict=True))
        whole = {name: np.broadcast_to(each, heads) for name, each in whole.items()}
        given = {"added_given": False, "h": head, "whole": Group("whole", whole)}
        rows = range(len(tables[0])) if row is None else (row,)
        found = []
        for n in rows:
            own = {"judged": tables[0][n], "mask": tables[1][n], "i": n, **given}
            found.append(again(_NORMALIZER, own, below)["weights"])
        return found[0] if row is not None else np.reshape(found, scores.shape)

    def attended(scores: Array, query: Array, key: Array, value: Array) -> Array:
        """What a query with these scores reads, positions, mask and bias counted."""
        own = {"scores": scores, "query": query, "key": key, "value": value}
        return again(_ATTENDING, {**own, "judged": scores})["context"]

    def competed(scores: Array, query: Array, key: Array, value: Array) -> Array:
        """What all queries (T, D) with these scores (T, S) read, (T, Dv).

        Each from a place of its own; a row's weights depend on the scores of others.
        """
        rows = []
        for n, (asking, compared) in enumerate(zip(query, scores, strict=True)):
            own = names_of(trace, Place(names["example"], names["h"], n))
            given = {"scores": compared, "query": asking, "key": key, "value": value}
            rows.append(again(_JUDGING, {**own, **given, "judged": compared}))
        judged, mask = (
            np.array([e[name] for e in rows]) for name in ("judged", "mask")
        )
        read = [
            again(_READING, {**each, "weights": weights})["context"]
            for each, weights in zip(rows, normalized(judged, mask), strict=True)
        ]
        return np.array(read)

    return {"normalized": normalized, "attended": attended, "competed": competed}


def _told(
    trace: Trace,
    scoped: Scoped,
    names: Names,
    entries: Iterable[StepEntry],
    given: Names,
    below: str = "",
) -> Mapping[str, Any]:
    """The names, with what the steps that apply come to and the arrays they give."""
    path = f"{scoped.below}/{below}".strip("/")
    names = {**names, **given}
    made = {n: given[n] for n in _ARRAYS if n in given}
    for step in expanded(tuple(entries), scoped.settings, path):
        own = {
            **names,
            "made": Group("made", made),
            "p": parameters_of(trace, path),
            "settings": settings_group(step.settings),
        }
        # A condition is asked for before the steps that a part's own reads may name.
        condition = step.entry.when
        early = reading(own, asked_by(condition, step.reads, own))
        if condition and not np.all(computed(parsed(condition), early)):
            continue
        own = reading(own, step.reads)
        value = computed(parsed(step.entry.by), own)
        names[step.entry.name] = value
        if step.entry.gives:
            made = {**made, step.entry.gives: value}
            names[step.entry.gives] = value
            names |= {"judged": value} if step.entry.gives == "scores" else {}
    return names
