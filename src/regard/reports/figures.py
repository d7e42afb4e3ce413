"""Figures of attention with matplotlib: vector output for papers and slides.

Colours as in the report: one blue that darkens with the root of the weight, the same
from 0 to 1 in every figure; hidden cells are hatched, what is no number is crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regard.reports.plotting import ink, pyplot
from regard.reports.record import AttentionRecord
from regard.reports.tokens import direction, show_tokens

Weights = Any  # (T, S) or (H, T, S), or an AttentionRecord
Tokens = Sequence[str] | None
Axes = Any
NUMBERS = 12  # rows and columns up to which cells show their weight
LABELS = 60  # labels of an axis at most
LENGTH = 14  # characters of a label at most
TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)


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
    picture = _draw(axes, record.average(), allowed)
    _label(axes.yaxis, record.query_tokens, record.query_language)
    _label(axes.xaxis, record.key_tokens, record.key_language)
    axes.tick_params("x", rotation=90)
    _add_scale(axes.figure, picture, axes)
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
        picture = _draw(axes, plane, allowed[head], numbers=False)
        axes.set_title(record.heads[head])
        axes.set_xticks([])
        axes.set_yticks([])
        _turn(axes.xaxis, record.key_tokens, record.key_language)
    _add_scale(figure, picture, grid)
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


def _draw(
    axes: Axes, plane: np.ndarray, allowed: np.ndarray, numbers: bool = True
) -> Any:
    """Cells as vectors; hatched where hidden, crossed where there is no number."""
    from matplotlib.colors import PowerNorm

    queries, keys = plane.shape
    shown = np.ma.array(plane, mask=~allowed | ~np.isfinite(plane))
    scale = PowerNorm(0.5, 0, 1)
    picture = axes.pcolormesh(
        shown, cmap="Blues", norm=scale, rasterized=plane.size > 1e5
    )
    axes.set_facecolor("white")
    hidden = np.ma.masked_where(allowed, np.zeros(plane.shape))
    if hidden.count():
        axes.pcolor(hidden, hatch="////", cmap="Greys", vmin=0, vmax=9, edgecolor="0.6")
    axes.set_ylim(queries, 0)
    axes.set_xlim(0, keys)
    axes.set_aspect("equal")
    for row, column in zip(*np.nonzero(allowed & ~np.isfinite(plane)), strict=True):
        axes.text(column + 0.5, row + 0.5, "✕", ha="center", va="center", color="C3")
    if numbers and max(queries, keys) <= NUMBERS:
        for row, column in zip(*np.nonzero(~shown.mask), strict=True):
            weight = plane[row, column]
            text = f"{weight:.2f}".removeprefix("0") if weight < 0.995 else "1"
            style = {"ha": "center", "va": "center", "fontsize": 7}
            axes.text(column + 0.5, row + 0.5, text, color=ink(weight), **style)
    return picture


def _add_scale(figure: Any, picture: Any, axes: Any) -> None:
    """What the colours mean, in weights, beside these axes."""
    bar = figure.colorbar(picture, ax=axes, ticks=TICKS, shrink=0.8)
    bar.ax.set_yticklabels([f"{tick:g}" for tick in TICKS])


def _room(tokens: Sequence[str]) -> float:
    """Inches beside the cells: for labels, and a scale or a margin."""
    return 0.9 + 0.11 * min(max(map(len, tokens), default=0), LENGTH)


def _label(axis: Any, tokens: Sequence[str], language: str) -> None:
    """Every token at the middle of its cell, or every n-th of many."""
    step = -(-len(tokens) // LABELS)
    places = range(0, len(tokens), step)
    shown = [show_tokens(tokens)[place].text for place in places]
    cut = [text if len(text) <= LENGTH else text[: LENGTH - 1] + "…" for text in shown]
    axis.set_ticks([place + 0.5 for place in places], cut)
    if axis.axis_name == "x":
        _turn(axis, tokens, language)


def _turn(axis: Any, tokens: Sequence[str], language: str) -> None:
    """From right to left where the text is written so."""
    if direction(tokens, language) == "rtl":
        axis.axes.invert_xaxis()
