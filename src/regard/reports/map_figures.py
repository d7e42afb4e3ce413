"""Figures of captured maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regard.reports.figures import Tokens, plot_heads
from regard.reports.record import AttentionRecord
from regard.trace import Trace


def plot_maps(
    maps: Mapping[str, Sequence[Trace]],
    name: str | None = None,
    query_tokens: Tokens = None,
    key_tokens: Tokens = None,
    *,
    example: int = 0,
    **options: Any,
) -> Any:
    """Draw the heads of a layer's last call, for one of its examples.

    Args:
        maps: of ``regard.capture``.
        name: the layer's path; may be left out where there is but one.
        query_tokens: of the whole example, numbers by default.
        key_tokens: likewise.
        example: which of the batch.
        **options: of ``regard.plot_heads``.

    Returns:
        The figure.

    Raises:
        ValueError: where there is no such layer or example, or no weights of it.
    """
    if name is None and len(maps) != 1:
        raise ValueError(f"name must be one of {', '.join(maps)}. Got None.")
    name = next(iter(maps)) if name is None else name
    calls = maps[name]
    weights = calls[-1].weights if calls else None
    if weights is None or weights.ndim != 4:
        raise ValueError(
            f"name must be of a layer with weights (B, H, T, S). Got {name!r}, which "
            "was not called, has no such weights, or was too long to keep them."
        )
    if not -len(weights) <= example < len(weights):
        raise ValueError(f"example must be one of {len(weights)}. Got {example}.")
    rows = calls[-1].extra.get("rows", range(weights.shape[2]))
    if query_tokens is None:
        query_tokens = list(map(str, rows))
    elif "rows" in calls[-1].extra:
        query_tokens = [query_tokens[row] for row in rows]
    if key_tokens is None:
        key_tokens = list(map(str, range(weights.shape[3])))
    record = AttentionRecord.from_trace(
        calls[-1], query_tokens, key_tokens, example=example
    )
    return plot_heads(record, **options)
