"""Numbers as JSON takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

DRAWN = 3  # digits of what is drawn and written beside it


def plain(array: Any, digits: int = 5) -> list[Any]:
    """Numbers of so many digits; what is no number as a word."""
    flat = np.asarray(array, "float64").ravel()
    return [float(f"{x:.{digits}g}") if np.isfinite(x) else _word(x) for x in flat]


def _word(x: float) -> str:
    return "NaN" if np.isnan(x) else "∞" if x > 0 else "−∞"
