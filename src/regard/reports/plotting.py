"""What figures with matplotlib share: cells, their scale, labels, readable ink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regard.reports.tokens import direction, show_tokens

Axes = Any
NUMBERS = 12  # rows and columns up to which cells show their weight
LABELS = 60  # labels of an axis at most
LENGTH = 14  # characters of a label at most
TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
DARK = 0.179  # luminance below which text on it is white


def ink(weight: float) -> str:
    """Black or white, whichever can be read on the weight's colour (WCAG)."""
    from matplotlib import colormaps

    channels = np.array(colormaps["Blues"](np.sqrt(np.clip(weight, 0, 1)))[:3])
    steep = ((channels + 0.055) / 1.055) ** 2.4
    linear = np.where(channels <= 0.04045, channels / 12.92, steep)
    return "white" if linear @ [0.2126, 0.7152, 0.0722] < DARK else "black"


def pyplot() -> Any:
    try:
        from matplotlib import pyplot as found
    except ImportError:
        raise ImportError(
            "Figures need matplotlib. Install it with: pip install regard[figures]"
        ) from None
    return found


def draw_cells(
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


def add_scale(figure: Any, picture: Any, axes: Any) -> None:
    """What the colours mean, in weights, beside these axes."""
    bar = figure.colorbar(picture, ax=axes, ticks=TICKS, shrink=0.8)
    bar.ax.set_yticklabels([f"{tick:g}" for tick in TICKS])


def label(axis: Any, tokens: Sequence[str], language: str) -> None:
    """Every token at the middle of its cell, or every n-th of many."""
    step = -(-len(tokens) // LABELS)
    places = range(0, len(tokens), step)
    shown = [show_tokens(tokens)[place].text for place in places]
    cut = [text if len(text) <= LENGTH else text[: LENGTH - 1] + "…" for text in shown]
    axis.set_ticks([place + 0.5 for place in places], cut)
    if axis.axis_name == "x":
        turn(axis, tokens, language)


def turn(axis: Any, tokens: Sequence[str], language: str) -> None:
    """From right to left where the text is written so."""
    if direction(tokens, language) == "rtl":
        axis.axes.invert_xaxis()
