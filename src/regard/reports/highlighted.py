"""A text with its weights behind the words, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regard.reports.plotting import ink, pyplot
from regard.reports.tokens import direction, show_tokens

Axes = Any


def highlight(
    tokens: Sequence[str],
    weights: Any,
    *,
    axes: Axes = None,
    language: str = "",
    width: float = 8.0,
) -> Axes:
    """Write a text with its weights behind the words, as in the report.

    Args:
        tokens: T strings.
        weights: (T,), from 0 to 1.
        axes: matplotlib's, by default of a new figure ``width`` inches wide.
        language: tag of the text; from right to left where it is written so.
        width: inches of a new figure.

    Returns:
        The axes.
    """
    weights = np.asarray(weights, "float64")
    if weights.shape != (len(tokens),):
        raise ValueError(
            f"weights must have shape ({len(tokens)},), one for each token. "
            f"Got {weights.shape}."
        )
    own = axes is None
    if own:
        axes = pyplot().subplots(figsize=(width, 1.0), layout="constrained")[1]
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    written = [
        axes.text(0, 0, token.text, va="top", ha="left", **_colours(weight))
        for token, weight in zip(show_tokens(tokens), weights, strict=True)
    ]
    _set_in_lines(axes, written, direction(tokens, language) == "rtl", own)
    return axes


def _set_in_lines(axes: Axes, written: list[Any], from_right: bool, own: bool) -> None:
    """Move the words into lines as wide as the axes, in a figure as high as they."""
    figure = axes.figure
    figure.canvas.draw()
    box = axes.get_window_extent()
    gap = figure.dpi * 0.09
    sizes = [each.get_window_extent() for each in written]
    height = max((size.height for size in sizes), default=0) + 1.6 * gap
    place, line, places = gap, 0, []
    for size in sizes:
        if place + size.width + gap > box.width and place > gap:
            place, line = gap, line + 1
        places.append((place, line))
        place += size.width + gap
    lines = line + 1
    if own:
        figure.set_figheight((lines * height + gap) / figure.dpi + 0.1)
        figure.canvas.draw()
        box = axes.get_window_extent()
    for text, size, (left, line) in zip(written, sizes, places, strict=True):
        left = box.width - left - size.width if from_right else left
        text.set_position((left / box.width, 1 - (line * height + gap) / box.height))


def _colours(weight: float) -> dict[str, Any]:
    """Words on their weight, as dark as its root."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    known = float(np.nan_to_num(weight))
    back = to_hex(colormaps["Blues"](np.sqrt(np.clip(known, 0, 1))))
    box = {"facecolor": back, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
    return {"color": ink(known), "bbox": box, "fontsize": 11}
