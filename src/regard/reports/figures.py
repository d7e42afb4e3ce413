"""Figures of attention with matplotlib: vector output for papers and slides.

Colours as in the report: one blue that darkens with the root of the weight, the same
from 0 to 1 in every figure; hidden cells are hatched, what is no number is crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regard.reports.plotting import (
    LABELS,
    LENGTH,
    add_scale,
    draw_cells,
    label,
    pyplot,
    turn,
)
from regard.reports.record import AttentionRecord

Weights = Any  # (T, S) or (H, T, S), or an AttentionRecord
Tokens = Sequence[str] | None
Axes = Any


def plot_alignment(
    weights: Weights,
    query_tokens: Tokens = None,
    key_tokens: Tokens = None,
    *,
    mask: Any = None,
    axes: Axes = None,
    languages: Sequence[str] = (),
) -> Axes:
    """Draw one table of weights: rows are queries, columns are keys.

        regard.plot_alignment(trace.weights[0, 0], output_words, input_words)

    Args:
        weights: (T, S) or (H, T, S), whose mean over heads is drawn; or an
            ``AttentionRecord``, which brings everything else along.
        query_tokens: T strings; numbers by default.
        key_tokens: S strings; numbers by default.
        mask: boolean, broadcasts to the weights, True = may be attended.
        axes: matplotlib's, by default of a new figure.
        languages: tags of the queries and keys, such as ``("ru", "en")``. A text
            written from right to left runs so along its axis.

    Returns:
        The axes.

    Raises:
        ValueError: where tokens or mask do not fit the weights.
        ImportError: where matplotlib is not installed.
    """
    record = _record(weights, query_tokens, key_tokens, mask, languages)
    if axes is None:
        queries, keys = record.weights.shape[1:]
        wide, high = (_room(each) for each in (record.query_tokens, record.key_tokens))
        size = (wide + 0.34 * min(keys, LABELS), high + 0.34 * min(queries, LABELS))
        axes = pyplot().subplots(figsize=size, layout="constrained")[1]
    allowed = np.logical_or.reduce(record.allowed())  # by any head
    picture = draw_cells(axes, record.average(), allowed)
    label(axes.yaxis, record.query_tokens, record.query_language)
    label(axes.xaxis, record.key_tokens, record.key_language)
    axes.tick_params("x", rotation=90)
    add_scale(axes.figure, picture, axes)
    return axes


def plot_heads(
    weights: Weights,
    query_tokens: Tokens = None,
    key_tokens: Tokens = None,
    *,
    mask: Any = None,
    columns: int = 4,
    languages: Sequence[str] = (),
) -> Any:
    """Draw every head of weights (H, T, S) beside the others, on one scale.

    Arguments as for ``plot_alignment``; ``columns`` heads stand in a row.

    Returns:
        The figure.
    """
    record = _record(weights, query_tokens, key_tokens, mask, languages)
    heads, allowed = len(record.weights), record.allowed()
    columns = min(columns, heads)
    rows = -(-heads // columns)
    figure, grid = pyplot().subplots(
        rows,
        columns,
        figsize=(2.4 * columns + 0.8, 2.4 * rows + 0.4),
        layout="constrained",
        squeeze=False,
    )
    picture = None
    for head, axes in enumerate(grid.flat):
        if head >= heads:
            axes.set_axis_off()
            continue
        plane = record.weights[head]
        picture = draw_cells(axes, plane, allowed[head], numbers=False)
        axes.set_title(record.heads[head])
        axes.set_xticks([])
        axes.set_yticks([])
        turn(axes.xaxis, record.key_tokens, record.key_language)
    add_scale(figure, picture, grid)
    return figure


def _record(
    weights: Weights,
    query_tokens: Tokens,
    key_tokens: Tokens,
    mask: Any,
    languages: Sequence[str],
) -> AttentionRecord:
    if isinstance(weights, AttentionRecord):
        return weights
    weights = np.asarray(weights)
    counts = weights.shape[-2:] if weights.ndim > 1 else (0, 0)
    given = (query_tokens, key_tokens)
    tokens = [
        [str(place) for place in range(count)] if each is None else list(each)
        for each, count in zip(given, counts, strict=True)
    ]
    query_language, key_language = (*languages, "", "")[:2]
    return AttentionRecord(
        weights=weights,
        query_tokens=tokens[0],
        key_tokens=tokens[1],
        masks={} if mask is None else {"user": mask},
        query_language=query_language,
        key_language=key_language,
    )


def _room(tokens: Sequence[str]) -> float:
    """Inches beside the cells: for labels, and a scale or a margin."""
    return 0.9 + 0.11 * min(max(map(len, tokens), default=0), LENGTH)
