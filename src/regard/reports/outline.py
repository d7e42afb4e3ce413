"""What was kept of a map too long to keep, as `regard.seeing.reducing` made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.reports.encoding import CODINGS, Numbers
from regard.seeing.outlining import CELLS

__all__ = ["OUTLINE", "checked_outline", "pack_outline"]

#: Rows and columns of a map whose sums stand beside it, in a table.
SHOWN = 64
#: Its arrays, of one example: (H, T), (H, T), (H, S), (H, T, K) twice, (H, P, Q) twice.
OUTLINE = (
    "entropy", "visible", "received", "top_keys", "top_weights", "largest", "mean",
)  # fmt: skip


def checked_outline(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of an outline.

    Raises:
        ValueError: one of them is missing.
    """
    missing = [name for name in OUTLINE if name not in given]
    if missing:
        raise ValueError(
            f"outline must hold {', '.join(OUTLINE)}, those of a capture's extra. "
            f"Got no {', '.join(missing)}."
        )
    return {name: np.asarray(given[name]) for name in OUTLINE}


def pack_outline(outline: Mapping[str, np.ndarray], buffer: Numbers) -> dict[str, Any]:
    """Overviews in one byte, the largest weights of each row in two, sums exactly."""
    small, exact = CODINGS["u8"][0], CODINGS["u16"][0]
    _, rows, columns = outline["largest"].shape
    length, size = outline["top_weights"].shape[1], outline["received"].shape[-1]
    mean = np.asarray(outline["mean"], np.float64)
    scale = float(mean.max()) or 1.0
    return {
        "shape": [rows, columns],
        "down": -(-length // CELLS),
        "across": -(-size // CELLS),
        "top": outline["top_keys"].shape[-1],
        "sums": _sums(outline) if max(length, size) <= SHOWN else None,
        "meanScale": scale,
        "largest": buffer.append(small.encode(outline["largest"])),
        "mean": buffer.append(small.encode(mean / scale)),
        "top_weights": buffer.append(exact.encode(outline["top_weights"])),
        **{
            name: buffer.append(np.asarray(outline[name], "<u4").tobytes())
            for name in ("top_keys", "visible")
        },
    }


def _sums(outline: Mapping[str, np.ndarray]) -> list[list[list[float | None]]] | None:
    """Of each head, of rows and of columns: an overview of as many cells as there are
    weights has them all.
    """
    mean, received = (np.asarray(outline[name]) for name in ("mean", "received"))
    if mean.shape[1:] != (outline["entropy"].shape[-1], received.shape[-1]):
        return None
    return [
        [[_told(each) for each in sums] for sums in (rows, columns)]
        for rows, columns in zip(mean.sum(-1), received, strict=True)
    ]


def _told(value: float) -> float | None:
    """Four digits of a finite number; JSON knows no other."""
    return round(float(value), 4) if np.isfinite(value) else None
