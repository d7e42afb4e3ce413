"""What is said of each head of a map, and of the mean of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regard.reports.extras import Timeline
from regard.reports.packing import number
from regard.reports.record import AttentionRecord
from regard.seeing.diagnostics import THRESHOLDS, diagnose
from regard.seeing.map_measures import off_diagonality
from regard.seeing.metrics.speech import (
    REPEATED,
    SKIPPED,
    coverage,
    groups_of,
    monotonicity,
)
from regard.seeing.metrics.token_times import token_frames
from regard.seeing.milestones import first_places
from regard.seeing.pieces import is_special

__all__ = ["describe", "first_steps"]

_LONGEST_WALK = 400_000  # cells of a map up to which tokens are given their frames


def describe(
    record: AttentionRecord, timeline: Timeline | None = None
) -> dict[str, Any]:
    """The diagnosis of each head and, where there are several, of their mean.

    Where keys lie in time also how the rows walk through them: the share of steps that
    do not go back, off-diagonality, how many keys are hardly read and how many again
    and again, in how many groups the former lie; of sound, which of them each token
    was said in.
    """
    said = {} if record.outline is None else _describe_outline(record.outline)
    maps = record.maps() if record.outline is None else []
    importance = record.importance
    walked = timeline is not None and not said and len(record.query_tokens) > 1
    spoken = walked and timeline is not None and timeline.log_mel is not None
    return {
        **(said or _describe_weights(record, maps)),
        "walk": [_walk(each) for each, _ in maps] if walked else None,
        "spans": _spans(record) if spoken else None,
        "importance": importance and list(map(number, importance)),
    }


def first_steps(maps: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
    """When words came true of the heads of a training, as numbers of its steps.

    ``maps`` are those of all steps, as `describe` said of them, step after step. Of
    each map "heads" has the words and steps of each head and of the mean; "words" has
    each word with the first step, map and head that it was true of, and the count of
    heads.
    """
    count = len(maps) // steps
    heads = [_first_of_heads(maps[at::count]) for at in range(count)]
    found: dict[str, list[Any]] = {}
    for at, firsts in enumerate(heads):
        for head, pairs in enumerate(firsts[: len(maps[at]["heads"])]):
            for word, step in pairs:
                found.setdefault(word, []).append((step, at, head))
    words = [[word, *min(where), len(where)] for word, where in found.items()]
    return {"heads": heads, "words": sorted(words, key=lambda each: each[1:])}


def _first_of_heads(looks: Sequence[Mapping[str, Any]]) -> list[list[list[Any]]]:
    """Of one map at every step: for each head the words and when they came true."""
    said, entropy = ([look[name] for look in looks] for name in ("said", "entropy"))
    heads = zip(zip(*said, strict=True), zip(*entropy, strict=True), strict=True)
    return [[[*pair] for pair in first_places(*head).items()] for head in heads]


def _describe_weights(
    record: AttentionRecord, maps: Sequence[tuple[np.ndarray, np.ndarray]]
) -> dict[str, Any]:
    same = record.query_tokens == record.key_tokens
    found = [diagnose(*each) for each in maps]
    return {
        "said": [each.words(same_sequence=same) for each in found],
        "effective": [number(each.effective) for each in found],
        "entropy": [number(each.entropy) for each in found],
        "diagonality": [number(each.off_diagonality) for each in found],
    }


def _spans(record: AttentionRecord) -> list[list[int] | None] | None:
    """Of each token the first of its keys and one past the last; of none special."""
    rows = [not is_special(token) for token in record.query_tokens]
    allowed = record.allowed()[:, rows]
    keys = int(np.flatnonzero(allowed.any(axis=(0, 1))).max(initial=-1)) + 1
    table = np.nan_to_num(np.where(allowed, record.table[:, rows], 0.0))[..., :keys]
    same = record.query_tokens == record.key_tokens
    if same or not 0 < table.shape[1] <= keys or table[0].size > _LONGEST_WALK:
        return None
    found = iter(token_frames(table).tolist())
    return [next(found) if own else None for own in rows]


def _walk(weights: np.ndarray) -> list[float | None]:
    known = np.nan_to_num(weights)
    read = coverage(known)
    return [
        number(monotonicity(known)),
        number(off_diagonality(known).mean()),
        int((read < SKIPPED).sum()),
        int((read > REPEATED).sum()),
        groups_of(read < SKIPPED),
    ]


def _describe_outline(outline: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The same from what was kept of a long input, where that is enough to tell."""
    entropy, visible = outline["entropy"], outline["visible"]
    counted = visible > 1
    rows = np.maximum(counted.sum(axis=-1), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.where(counted, values, 0).sum(axis=-1) / rows

    normalized = mean(entropy / np.log(np.maximum(visible, 2)))
    sunk = outline["received"].max(axis=-1) / np.maximum(visible.shape[-1], 1)
    said = [
        ("uniform",) if flat else ("sink",) if sink else ()
        for flat, sink in zip(
            normalized > THRESHOLDS["uniform"], sunk > THRESHOLDS["sink"], strict=True
        )
    ]
    return {
        "said": said,
        "effective": list(map(number, mean(np.exp(entropy)))),
        "entropy": list(map(number, normalized)),
        "diagonality": [None] * len(said),
    }
