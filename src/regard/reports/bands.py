"""What a layer reads along time on average over a data set, and how that varies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from regard.reports.encoding import CODINGS, Numbers, fits_levels
from regard.reports.example import Example
from regard.reports.record import AttentionRecord
from regard.reports.tokens import visible

__all__ = ["BAND", "MOST", "band_number", "band_over", "left_out_bands", "pack_bands"]

#: Percentiles between which the band lies.
BAND = (10, 90)
#: Numbers of a layer's band; of larger ones a page has none, and says so.
MOST = 1_500_000


def band_over(weights: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """``(3, T, S)``: mean over examples, and the percentiles `BAND`, of ``(N, T, S)``.

    An example counts in the cells that it may see; NaN where none may.
    """
    seen = np.where(allowed, weights, np.nan)
    empty = ~allowed.any(axis=0)
    seen[:, empty] = 0.0
    band = np.stack([np.nanmean(seen, axis=0), *_percentiles(seen)])
    band[:, empty] = np.nan
    return band


def _percentiles(seen: np.ndarray) -> Iterator[np.ndarray]:
    """``np.nanpercentile(seen, BAND, axis=0)``, of all cells at once: NaN come last."""
    ordered = np.sort(seen, axis=0)
    last = np.maximum((~np.isnan(seen)).sum(axis=0, keepdims=True) - 1, 0)
    for percentile in BAND:
        place = last * (percentile / 100)
        low = np.floor(place).astype(int)
        below, above = (
            np.take_along_axis(ordered, np.minimum(at, last), axis=0)[0]
            for at in (low, low + 1)
        )
        yield below + (above - below) * (place - low)[0]


def pack_bands(examples: Sequence[Example], buffer: Numbers) -> list[dict[str, Any]]:
    """The bands of every map that two examples in time have alike, head by head.

    The mean of several heads comes after them, as among the heads of a map.
    """
    return [
        _pack(number, layer, group, buffer)
        for number, layer, group in _alike(examples)
        if _size(group) <= MOST
    ]


def left_out_bands(examples: Sequence[Example]) -> int:
    """Of how many maps the band would be too large for a page."""
    return sum(_size(group) > MOST for _, _, group in _alike(examples))


def band_number(
    bands: Sequence[dict[str, Any]], number: int, record: AttentionRecord
) -> int:
    """Which of the bands is that of the map of this number; -1 where it has none."""
    shape = [] if record.weights is None else list(record.weights.shape)
    wanted = number, visible(record.layer, keep=" "), shape
    found = [(each["map"], each["layer"], each["shape"]) for each in bands]
    return found.index(wanted) if wanted in found else -1


def _alike(
    examples: Sequence[Example],
) -> Iterator[tuple[int, str, list[AttentionRecord]]]:
    """Number and layer of every map that two examples in time have alike, with them."""
    found: dict[tuple[Any, ...], list[AttentionRecord]] = {}
    for each in examples:
        if each.timeline is None or each.training is not None:
            continue
        for number, record in enumerate(each.records()):
            if record.weights is not None:
                key = number, record.layer, record.weights.shape
                found.setdefault(key, []).append(record)
    for (number, layer, _), group in sorted(found.items(), key=lambda each: each[0][0]):
        if len(group) > 1:
            yield number, layer, group


def _heads(group: Sequence[AttentionRecord]) -> int:
    """How many heads are told of: the mean of several is one more."""
    heads = len(group[0].table)
    return heads + (heads > 1)


def _size(group: Sequence[AttentionRecord]) -> int:
    """The numbers of a band: three lines for each row of each head."""
    return 3 * _heads(group) * int(np.prod(group[0].table.shape[1:]))


def _pack(
    number: int, layer: str, group: Sequence[AttentionRecord], buffer: Numbers
) -> dict[str, Any]:
    heads = zip(*(each.maps() for each in group), strict=True)
    band = np.stack([_of_head(each) for each in heads])
    name = "u16" if fits_levels(band) else "f32"
    return {
        "map": number,
        "layer": visible(layer, keep=" "),
        "shape": list(group[0].table.shape),
        "examples": len(group),
        "coding": name,
        "start": buffer.append(CODINGS[name][0].encode(band)),
    }


def _of_head(maps: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The band of a head, or of the mean over heads: of its map in every example."""
    weights, allowed = zip(*maps, strict=True)
    return band_over(np.stack(weights).astype(np.float64), np.stack(allowed))
