"""What is said of each head of a map, and of the mean of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.reports.packing import number
from regard.reports.record import AttentionRecord
from regard.seeing.diagnostics import THRESHOLDS, diagnose, off_diagonality
from regard.seeing.metrics.speech import REPEATED, SKIPPED, coverage, monotonicity

__all__ = ["describe"]


def describe(record: AttentionRecord, timed: bool = False) -> dict[str, Any]:
    """The diagnosis of each head and, where there are several, of their mean.

    Where keys are ``timed`` also how the rows walk through them: the share of steps
    that do not go back, off-diagonality, how many keys are hardly read, how many again
    and again.
    """
    said = {} if record.outline is None else _describe_outline(record.outline)
    importance = record.importance
    walked = timed and not said and len(record.query_tokens) > 1
    return {
        **(said or _describe_weights(record)),
        "walk": [_walk(each) for each, _ in _maps(record)] if walked else None,
        "importance": importance and list(map(number, importance)),
    }


def _describe_weights(record: AttentionRecord) -> dict[str, Any]:
    same = record.query_tokens == record.key_tokens
    found = [diagnose(*each) for each in _maps(record)]
    return {
        "said": [each.words(same_sequence=same) for each in found],
        "effective": [number(each.effective) for each in found],
        "entropy": [number(each.entropy) for each in found],
        "offDiagonality": [number(each.off_diagonality) for each in found],
    }


def _maps(record: AttentionRecord) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and what may be seen ``(T, S)``: of each head, and of their mean."""
    allowed = record.allowed()
    maps = list(zip(record.weights, allowed, strict=True))
    if len(maps) > 1:
        maps.append((record.average(), allowed.any(axis=0)))
    return maps


def _walk(weights: np.ndarray) -> list[float | None]:
    known = np.nan_to_num(weights)
    read = coverage(known)
    return [
        number(monotonicity(known)),
        number(off_diagonality(known).mean()),
        int((read < SKIPPED).sum()),
        int((read > REPEATED).sum()),
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
        "offDiagonality": [None] * len(said),
    }
