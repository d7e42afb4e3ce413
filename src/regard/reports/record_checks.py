"""What the parts of an attention record must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regard.reports.encoding import fits_levels

__all__ = ["check_count", "full_mask", "shares_of", "with_heads"]


def with_heads(
    name: str, array: Any, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """Numbers ``(heads, query, key)``, one head where none is told apart.

    Raises:
        ValueError: no such numbers, or another shape than that of the weights.
    """
    try:
        array = np.asarray(array, np.float32)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a table of numbers. Got {str(array)[:60]!r}; of what was "
            "captured take maps[name].weights[example]."
        ) from None
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3:
        raise ValueError(
            f"{name} must have shape (heads, query, key) or (query, key). "
            f"Got {array.shape}; pick one example of a batch first."
        )
    if shape is not None and array.shape != shape:
        raise ValueError(
            f"{name} must have the shape of weights, {shape}. Got {array.shape}."
        )
    return array


def shares_of(name: str, array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers from 0 to 1 for every pair; what is no number is left as it is."""
    table = with_heads(f"shares[{name!r}]", array, shape)
    if not fits_levels(table):
        known = table[np.isfinite(table)]
        raise ValueError(
            f"shares[{name!r}] must lie between 0 and 1. Got numbers from "
            f"{known.min():.4g} to {known.max():.4g}."
        )
    return table


def check_count(
    name: str, given: Sequence[Any], wanted: int, kind: str = "strings"
) -> None:
    """Raise unless there is one for each row, column or head."""
    if isinstance(given, str) or len(given) != wanted:
        got = f"the string {given!r}" if isinstance(given, str) else str(len(given))
        raise ValueError(
            f"{name} must be a sequence of {wanted} {kind}, one for each of the "
            f"weights. Got {got}."
        )


def full_mask(cause: str, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """True where a pair may attend, of the shape of the weights."""
    mask = np.asarray(mask)
    if mask.dtype.kind == "f":
        raise ValueError(
            f"masks[{cause!r}] must be boolean, True = may attend. Got {mask.dtype}."
        )
    try:
        return np.broadcast_to(mask.astype(bool), shape)
    except ValueError:
        raise ValueError(
            f"masks[{cause!r}] must have shape (key,), (query, key) or "
            f"(heads, query, key) = {shape}. Got {mask.shape}."
        ) from None
