"""An alignment drawn in the terminal: rows are the output, columns the input."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

import numpy as np
from rich.cells import cell_len, set_cell_size

from regard.reports.record import AttentionRecord
from regard.reports.tokens import ShownToken, show_tokens

__all__ = ["Ink", "draw_alignment", "print_alignment"]

_CELL = 2  # columns of the terminal: a square, and room for a wide character
_LONGEST_HEADING = 12
_BLOCKS = ("·", "░", "▒", "▓", "█")
_LETTERS = (".", ":", "+", "#", "@")
_BLUES = (240, 153, 111, 69, 27)  # of the 256 colours; readable on black and white
_STEPS = (0.02, 0.1, 0.3, 0.6)  # a weight below the n-th step gets the n-th ink


@dataclass(frozen=True)
class Ink:
    """What the terminal can show: how many columns, colour, block characters."""

    width: int = 80
    color: bool = False
    blocks: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> Ink:
        """Ask the stream and the environment (``NO_COLOR``, ``COLUMNS``)."""
        terminal = bool(getattr(stream, "isatty", lambda: False)())
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        try:
            "·░▒▓█→…".encode(getattr(stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            blocks = False
        else:
            blocks = True
        width = shutil.get_terminal_size((80, 24)).columns
        return cls(width=width, color=terminal and not plain, blocks=blocks)


def draw_alignment(
    record: AttentionRecord, ink: Ink | None = None, *, max_rows: int = 60
) -> str:
    """The mean over heads of one record as lines of text.

    Each row is an output token, each column an input token (its letters run down).
    The shade of a cell grows with its weight; at the right stands the input token
    with the largest weight. An input that is wider than the terminal is drawn in
    several bands, one under the other; rows past ``max_rows`` are counted, not drawn.
    """
    ink = ink or Ink()
    weights = record.average()[:max_rows]
    masked = np.all(record.causes() > 0, axis=0)[:max_rows]
    inputs = [_label(token) for token in show_tokens(record.key_tokens, 60)]
    outputs = [_label(token) for token in show_tokens(record.query_tokens, 60)]
    if not len(weights) or not inputs:
        return "(nothing to draw: the output or the input is empty)"
    gutter = min(max(map(cell_len, outputs)), max(4, ink.width // 4))
    per_band = max(1, (ink.width - gutter - 1) // _CELL)
    bands = []
    for start in range(0, len(inputs), per_band):
        columns = slice(start, min(start + per_band, len(inputs)))
        lines = _headings(inputs[columns], gutter)
        free = ink.width - gutter - 1 - _CELL * (columns.stop - start)
        for row, label in enumerate(outputs[:max_rows]):
            cells = _cells(weights[row, columns], masked[row, columns], ink)
            best = _best(weights[row], masked[row], inputs, ink)
            tail = f" {best}" if columns.stop == len(inputs) else ""
            tail = tail if cell_len(tail) <= free else ""
            lines.append(f"{_fit(label, gutter)} {cells}{tail}".rstrip())
        bands.append("\n".join(lines))
    if len(record.query_tokens) > max_rows:
        bands.append(f"({len(record.query_tokens) - max_rows} more output tokens)")
    return "\n\n".join(bands)


def print_alignment(record: AttentionRecord, stream: TextIO | None = None) -> None:
    """Draw on a stream (standard output), in what that stream can show."""
    stream = stream or sys.stdout
    text = draw_alignment(record, Ink.of(stream))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")


def _label(token: ShownToken) -> str:
    return ("-" if token.joins else "") + token.text


def _fit(label: str, width: int) -> str:
    """Right-aligned in ``width`` cells, cut with an ellipsis where it is longer."""
    missing = width - cell_len(label)
    if missing >= 0:
        return " " * missing + label
    return set_cell_size(label, width - 1) + "…"


def _headings(inputs: list[str], gutter: int) -> list[str]:
    """The input tokens with their letters running down, standing on the matrix."""
    cut = [
        label if len(label) <= _LONGEST_HEADING else label[: _LONGEST_HEADING - 1] + "…"
        for label in inputs
    ]
    height = max(map(len, cut))
    columns = [label.rjust(height) for label in cut]
    return [
        (
            " " * (gutter + 1)
            + "".join(set_cell_size(column[line], _CELL) for column in columns)
        ).rstrip()
        for line in range(height)
    ]


def _cells(weights: np.ndarray, masked: np.ndarray, ink: Ink) -> str:
    shades = _BLOCKS if ink.blocks else _LETTERS
    drawn = []
    for weight, hidden in zip(weights, masked, strict=True):
        level = int(np.searchsorted(_STEPS, weight, side="right"))
        if hidden:
            drawn.append("//")
        elif not np.isfinite(weight):
            drawn.append("??")
        elif ink.color:
            drawn.append(f"\x1b[38;5;{_BLUES[level]}m{_shade(shades, level)}\x1b[0m")
        else:
            drawn.append(_shade(shades, level))
    return "".join(drawn)


def _shade(shades: tuple[str, ...], level: int) -> str:
    return shades[level] * _CELL if level else shades[0] + " "


def _best(weights: np.ndarray, masked: np.ndarray, inputs: list[str], ink: Ink) -> str:
    usable = np.where(masked | ~np.isfinite(weights), -1.0, weights)
    column = int(usable.argmax())
    if usable[column] <= 0:
        return "(nothing)"
    arrow = "→" if ink.blocks else "->"
    return f"{arrow} {inputs[column]} {usable[column]:.2f}"
