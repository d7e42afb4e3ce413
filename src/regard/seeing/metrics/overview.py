"""Each head of a model over a data set: what it looks like, and how far it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.capture import capture
from regard.seeing.diagnostics import Diagnosis, diagnose
from regard.seeing.maps import Maps
from regard.seeing.metrics.classifier import arrays_of, called, count_of, rows_of
from regard.seeing.metrics.intervals import Interval, bootstrap
from regard.seeing.metrics.order import in_order
from regard.seeing.metrics.received import visible
from regard.seeing.metrics.spans import mean_distance, uniform_distance

__all__ = ["Head", "overview"]

_AT_ONCE = 1 << 24  # weights kept together


@dataclass(frozen=True)
class Head:
    """One head of a layer over all examples; rows that see one key do not count.

    - ``diagnosis``: the mean over examples, and its ``words``.
    - ``effective``: exp(entropy), of each example the mean over rows.
    - ``visible``: how many keys a row sees, what ``effective`` is of uniform weights.
    - ``distance``, ``uniform_distance``: the mean distance, beside that of uniform
      weights; None where an example has a single row, as in poolings.
    """

    layer: str
    head: int
    words: tuple[str, ...]
    diagnosis: Diagnosis
    effective: Interval
    visible: float
    distance: Interval | None
    uniform_distance: float | None


def overview(model: Any, data: Any, layers: Any = None) -> list[Head]:
    """Measure every head of the attention layers while the model reads the data.

    A layer with as many queries as keys is taken to read its own sequence, and only of
    such a layer "previous token", "same token" and "next token" are said. A layer whose
    weights are too many to be kept, or that has none, is left out. Layers stand in the
    order of their calls.

    Args:
        model: as in ``regard.capture``.
        data: what it is called with: an array or a list, tuple or dict of arrays.
        layers: as in ``regard.capture``.
    """
    inputs = arrays_of(data)
    order = in_order(model, inputs, layers)
    found: dict[tuple[str, int], list[_Seen]] = {}
    for maps in _captured(model, inputs, layers):
        for name, calls in maps.items():
            for trace in calls:
                if trace.weights is not None and trace.weights.ndim == 4:
                    for head, seen in _of_heads(trace):
                        found.setdefault((name, head), []).append(seen)
    heads = sorted(found, key=lambda each: (order.index(each[0]), each[1]))
    return [_joined(*each, found[each]) for each in heads]


def _captured(model: Any, inputs: Any, layers: Any) -> Iterator[Maps]:
    """The maps of all examples, so many at a time as fit."""
    count, start, step = count_of(inputs), 0, 1
    while start < count:
        some = rows_of(inputs, slice(start, start + step))
        with capture(model, layers) as maps:
            called(model, some)
        yield maps
        start += step
        weights = [t.weights for calls in maps.values() for t in calls]
        size = sum(each.size for each in weights if each is not None)
        if step == 1:
            step = int(np.clip(_AT_ONCE // max(size, 1), 1, 256))


@dataclass(frozen=True)
class _Seen:
    """One head in one example."""

    diagnosis: Diagnosis
    square: bool
    visible: float
    distance: float
    uniform: float


def _of_heads(trace: Any) -> Iterator[tuple[int, _Seen]]:
    allowed = visible(trace)
    queries, keys = trace.weights.shape[2:]
    for example, head in np.ndindex(*trace.weights.shape[:2]):
        weights, seen = trace.weights[example, head], allowed[example, head]
        rows = seen.sum(axis=1) > 1
        each = [
            np.nan if queries == 1 or not rows.any() else float(of[rows].mean())
            for of in (mean_distance(weights, seen), uniform_distance(seen))
        ]
        count = float(seen.sum(axis=1)[rows].mean()) if rows.any() else np.nan
        yield head, _Seen(diagnose(weights, seen), queries == keys, count, *each)


def _joined(layer: str, head: int, each: Sequence[_Seen]) -> Head:
    counted = [one for one in each if one.diagnosis.rows] or list(each)
    mean = _mean([one.diagnosis for one in counted], [one.diagnosis for one in each])
    effective = [one.diagnosis.effective for one in counted if one.diagnosis.rows]
    distance = bootstrap(np.array([one.distance for one in counted]))
    square = all(one.square for one in each) and distance.n > 0
    return Head(
        layer=layer,
        head=head,
        words=mean.words(same_sequence=square),
        diagnosis=mean,
        effective=bootstrap(np.array(effective)),
        visible=float(np.mean([one.visible for one in counted])),
        distance=distance if distance.n else None,
        uniform_distance=float(np.nanmean([one.uniform for one in counted]))
        if distance.n
        else None,
    )


def _mean(counted: Sequence[Diagnosis], every: Sequence[Diagnosis]) -> Diagnosis:
    """The mean of several maps; any leak or number that is not finite stays."""

    def mean(name: str) -> float:
        return float(np.mean([getattr(each, name) for each in counted]))

    offsets = counted[0].offset_shares
    return Diagnosis(
        rows=max(each.rows for each in counted),
        entropy=mean("entropy"),
        effective=mean("effective"),
        sink_share=mean("sink_share"),
        sink_column=Counter(each.sink_column for each in counted).most_common(1)[0][0],
        spread=mean("spread"),
        offset_shares={
            offset: float(np.mean([each.offset_shares[offset] for each in counted]))
            for offset in offsets
        },
        off_diagonality=mean("off_diagonality"),
        leak=max(each.leak for each in every),
        finite=all(each.finite for each in every),
    )
