"""What a trace holds of one of its examples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from regard.reports.documents import are_nested, sentences_of
from regard.reports.outline import OUTLINE
from regard.trace import Trace

__all__ = ["arrays_of", "in_a_row"]

_Tokens = Sequence[str] | Sequence[Sequence[str]]


def arrays_of(
    trace: Trace, example: int, query_tokens: Sequence[str], key_tokens: _Tokens
) -> dict[str, Any]:
    """Its arrays by the names of a record; padding beyond the tokens is cut off.

    Raises:
        ValueError: the trace kept no weights, or has too few rows or columns.
    """
    queries, keys = len(query_tokens), np.arange(len(key_tokens))
    sentences = None
    if are_nested(key_tokens):
        keys, sentences = sentences_of(trace, example, key_tokens)
    if trace.weights is None and "received" in trace.extra:
        return {"outline": {name: trace.extra[name][example] for name in OUTLINE}}
    if trace.weights is None:
        raise ValueError(
            f"trace must hold weights. The trace of {trace.layer or 'a layer'!r} "
            "kept none; trace the call again."
        )
    shape = trace.weights.shape

    def cut(array: np.ndarray) -> np.ndarray:
        full = np.broadcast_to(array, shape)
        return full[example][:, :queries, keys[keys < shape[3]]]

    return {
        "weights": cut(trace.weights),
        "masks": {cause: cut(mask) for cause, mask in trace.masks.items()},
        "scores": None if trace.scores is None else cut(trace.scores),
        "sentences": sentences,
    }


def in_a_row(tokens: Any) -> Sequence[str]:
    """The words of all sentences one after another."""
    return list(chain.from_iterable(tokens)) if are_nested(tokens) else tokens
