"""What is said of each head of a map, and of the mean of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.reports.packing import number
from regard.reports.record import AttentionRecord
from regard.seeing.diagnostics import THRESHOLDS, diagnose

__all__ = ["describe"]


def describe(record: AttentionRecord) -> dict[str, Any]:
    """The diagnosis of each head and, where there are several, of their mean."""
    said = {} if record.outline is None else _describe_outline(record.outline)
    importance = record.importance
    return {
        **(said or _describe_weights(record)),
        "importance": importance and list(map(number, importance)),
    }


def _describe_weights(record: AttentionRecord) -> dict[str, Any]:
    allowed = record.allowed()
    maps = list(zip(record.weights, allowed, strict=True))
    if len(maps) > 1:
        maps.append((record.average(), allowed.any(axis=0)))
    same = record.query_tokens == record.key_tokens
    found = [diagnose(*each) for each in maps]
    return {
        "said": [each.words(same_sequence=same) for each in found],
        "effective": [number(each.effective) for each in found],
        "entropy": [number(each.entropy) for each in found],
        "offDiagonality": [number(each.off_diagonality) for each in found],
    }


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
