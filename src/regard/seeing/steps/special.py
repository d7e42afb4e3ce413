"""Functions that a single mechanism needs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from regard.seeing.elementary import softmax

Array = Any


def segment_means(x: Array, count: int, real: Array) -> Array:
    """(T, D) -> (count, D): the mean of each equal segment, of what is real there."""
    size = -(-len(x) // count)
    parts = [slice(n * size, (n + 1) * size) for n in range(count)]
    shares = np.stack([np.isin(np.arange(len(x)), np.arange(len(x))[p]) for p in parts])
    shares = shares * np.asarray(real, "float64")
    return shares @ x / np.maximum(shares.sum(-1, keepdims=True), 1.0)


def segment_any(real: Array, count: int) -> Array:
    """Which segments hold anything real."""
    return segment_means(np.asarray(real, "float64")[:, None], count, real)[:, 0] > 0


def landmark_bound(
    query: Array, key: Array, asking: Array, shown: Array, count: int
) -> float:
    """The largest sum of a column times that of a row, of all tables of landmarks.

    Of queries (B, H, T, D) and keys (B, H, S, D) with masks (B, 1, T, 1), (B, 1, 1, S).
    """
    masks = zip(_rows(asking, query), _rows(shown, key), strict=True)
    columns, rows = [0.0], [0.0]
    for queries, keys, (asks, seen) in zip(query, key, masks, strict=True):
        real = segment_any(asks, count)[:, None] & segment_any(seen, count)
        for head, other in zip(queries, keys, strict=True):
            left = segment_means(head, count, asks)
            right = segment_means(other, count, seen)
            table = softmax(left @ right.T / np.sqrt(head.shape[-1]), real)
            columns.append(table.sum(0).max())
            rows.append(table.sum(1).max())
    return max(columns) * max(rows)


def _rows(mask: Array, vectors: Array) -> Array:
    """A mask of queries or keys, or True for all, as (B, T)."""
    shape = len(vectors), vectors.shape[2]
    return np.reshape(mask, shape) if np.ndim(mask) else np.full(shape, mask)


def in_sight(place: int, buckets: Array, chunk: int, before: int, after: int) -> Array:
    """How often one place sees each, (rounds, T), by the buckets (rounds, T).

    Places are sorted by bucket and cut into chunks; a chunk sees itself and those
    before and after it, in one circle through all rounds.
    """
    rounds, length = buckets.shape
    pieces = []
    for own in buckets:
        order = np.argsort(own, kind="stable")
        pieces += [order[n : n + chunk] for n in range(0, length, chunk)]
    count = len(pieces) // rounds
    found = np.zeros((rounds, length))
    for number, piece in enumerate(pieces):
        if place in piece:
            shifts = range(-before, after + 1)
            for near in {(number + shift) % len(pieces) for shift in shifts}:
                found[number // count, pieces[near]] += 1
    return found


def ranked(scores: Array, mask: Array = True) -> Array:
    """The largest first; what the mask hides is last, as minus infinity."""
    return np.sort(np.where(mask, scores, -np.inf))[::-1]


def crossing(
    falling: Callable[[float], Any], total: float, low: float, high: float
) -> float:
    """Where a function that falls from ``low`` to ``high`` passes ``total``."""
    for _ in range(100):
        middle = (low + high) / 2.0
        low, high = (middle, high) if falling(middle) >= total else (low, middle)
    return low


def in_blocks(layout: Any, row: float, columns: Array) -> Array:
    """Which of these blocks of keys a block of queries sees; none outside the table."""
    table = np.asarray(layout, bool)
    inside = (columns >= 0) & (columns < table.shape[1]) & (0 <= row < len(table))
    rows, columns = np.where(inside, row, 0), np.where(inside, columns, 0)
    return table[rows.astype(int), columns.astype(int)] & inside


# Name -> how it is computed, how written in a formula, whether by whole rows.
SPECIAL: dict[str, tuple[Any, ...]] = {
    "segment_means": (segment_means, r"\mathrm{{mean}}({0})"),
    "segment_any": (segment_any,),
    "landmark_bound": (landmark_bound, "", True),
    "in_sight": (in_sight,),
    "ranked": (ranked, "", True),
    "crossing": (crossing, "", True),
    "in_blocks": (in_blocks,),
}
