"""What a layer reads along time on average over a data set, and how that varies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from regard.reports.encoding import CODINGS, Numbers, fits_levels
from regard.reports.example import Example
from regard.reports.record import AttentionRecord
from regard.reports.tokens import visible

__all__ = ["BAND", "band_number", "band_over", "pack_bands"]

#: Percentiles between which the band lies.
BAND = (10, 90)
_MOST = 1_500_000  # numbers of a layer's band; of larger ones a page has none


def band_over(weights: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """``(3, T, S)``: mean over examples, and the percentiles `BAND`, of ``(N, T, S)``.

    An example counts in the cells that it may see; NaN where none may.
    """
    seen = np.where(allowed, weights, np.nan)
    empty = ~allowed.any(axis=0)
    seen[:, empty] = 0.0
    band = np.stack([np.nanmean(seen, axis=0), *np.nanpercentile(seen, BAND, axis=0)])
    band[:, empty] = np.nan
    return band


def pack_bands(examples: Sequence[Example], buffer: Numbers) -> list[dict[str, Any]]:
    """The bands of every map that two examples in time have alike, head by head.

    The mean of several heads comes after them, as among the heads of a map.
    """
    timed = [
        each.records()
        for each in examples
        if each.timeline is not None and each.training is None
    ]
    return [
        packed
        for number in range(max(map(len, timed), default=0))
        for packed in _pack_alike(
            number, [each[number] for each in timed if len(each) > number], buffer
        )
    ]


def band_number(
    bands: Sequence[dict[str, Any]], number: int, record: AttentionRecord
) -> int:
    """Which of the bands is that of the map of this number; -1 where it has none."""
    shape = [] if record.weights is None else list(record.weights.shape)
    wanted = number, visible(record.layer, keep=" "), shape
    found = [(each["map"], each["layer"], each["shape"]) for each in bands]
    return found.index(wanted) if wanted in found else -1


def _pack_alike(
    number: int, records: Iterable[AttentionRecord], buffer: Numbers
) -> Iterable[dict[str, Any]]:
    alike: dict[tuple[Any, ...], list[AttentionRecord]] = {}
    for record in records:
        if record.weights is not None:
            key = record.layer, record.weights.shape
            alike.setdefault(key, []).append(record)
    for (layer, shape), group in alike.items():
        heads = shape[0] + (shape[0] > 1)
        if len(group) < 2 or 3 * heads * shape[1] * shape[2] > _MOST:
            continue
        band = np.stack([_of_head(group, head) for head in range(heads)])
        name = "u16" if fits_levels(band) else "f32"
        yield {
            "map": number,
            "layer": visible(layer, keep=" "),
            "shape": list(shape),
            "examples": len(group),
            "coding": name,
            "start": buffer.append(CODINGS[name][0].encode(band)),
        }


def _of_head(group: Sequence[AttentionRecord], head: int) -> np.ndarray:
    """A head's band, or beyond the last that of the mean over heads."""
    tables = [each.table for each in group]
    allowed = [each.allowed() for each in group]
    if head < len(tables[0]):
        chosen = [table[head] for table in tables], [mask[head] for mask in allowed]
    else:
        chosen = (
            [table.mean(axis=0) for table in tables],
            [mask.any(axis=0) for mask in allowed],
        )
    return band_over(np.stack(chosen[0]).astype(np.float64), np.stack(chosen[1]))
