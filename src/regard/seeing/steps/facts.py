"""What sentences say about the row: names of query and key, counts, shares."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regard.seeing.steps.phrases import phrases

_QUOTES = {"en": "“{}”", "ru": "«{}»"}
_PERCENT = {"en": "%", "ru": "\u00a0%"}
_ISOLATE, _POP = "\u2068", "\u2069"  # so that a token's direction stays inside


def numbers_of(names: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the row in any language.

    ``key_number``, ``weight``: its strongest key, and that key's weight; ``nothing``:
    whether all weights are zero; ``visible``, ``keys``: how many keys it may see, and
    of how many; ``key_head``: which head of keys a head reads; ``row``, ``column``,
    ``columns``: where a pixel stands that asks.
    """
    weights = names.get("weights")
    row = np.atleast_1d(np.zeros(1) if weights is None else weights)
    usable = np.where(np.isfinite(row), row, -np.inf)
    strongest = int(np.argmax(usable)) if row.ndim == 1 else 0
    pixels = ("row", "column", "columns") if names.get("columns") else ()
    return {
        **{name: names[name] for name in pixels},
        "query_number": names["i"],
        "key_number": strongest,
        "weight": float(row[strongest]) if row.ndim == 1 else None,
        "nothing": row.ndim == 1 and weights is not None and not np.any(row),
        "visible": _visible(names),
        "keys": len(row) if row.ndim == 1 else names["S"],
        "mask": names["mask"],
        "weights": weights if row.ndim == 1 else None,
        "scores": names.get("judged"),
        "head": names["h"],
        "heads": names["H"],
        "key_head": names["key_head"],
    }


def facts_of(
    row: Mapping[str, Any], tokens: tuple[Sequence[str] | None, ...], language: str
) -> dict[str, Any]:
    """For the braces in a card's sentences: the numbers of a row, and what they name.

    ``query``, ``key``: the row and its strongest key, by token or number, pixels by
    row and column; ``share``: that key's weight.
    """
    query_tokens, key_tokens = tokens
    columns = row.get("columns", 0)
    key = _label(row["key_number"], key_tokens, language, columns)
    kind = "of pixel" if columns else "key"
    return {
        **row,
        "query": _label(row["query_number"], query_tokens, language, columns),
        "key": phrases(language)[kind].format(name=key),
        "key_name": key,
        "share": "" if row["weight"] is None else _share(row["weight"], language),
    }


def _share(weight: float, language: str) -> str:
    if not np.isfinite(weight):
        return "NaN" if np.isnan(weight) else "∞"
    return f"{100 * weight:.0f}{_PERCENT[language]}"


def _visible(names: Mapping[str, Any]) -> int:
    """How many keys all causes show, where the layer records no mask of all too."""
    mask, seen = names["mask"], names["seen"]
    together = np.shape(mask) == np.shape(seen)
    return int(np.sum(np.logical_and(mask, seen) if together else mask))


def _label(
    number: int, tokens: Sequence[str] | None, language: str, columns: int
) -> str:
    if tokens is not None and number < len(tokens):
        return _QUOTES[language].format(f"{_ISOLATE}{tokens[number]}{_POP}")
    if columns:
        return f"({number // columns}, {number % columns})"
    return str(number)


def subject_of(
    facts: Mapping[str, Any], words: Mapping[str, str], sizes: Mapping[str, int]
) -> str:
    """Which row is explained; numbers are those that ``regard.explain`` takes."""
    asking = words["pixel" if "columns" in facts else "query"]
    parts = [asking.format(name=facts["query"])]
    if sizes["H"] > 1:
        parts.append(words["head"].format(number=facts["head"], count=sizes["H"]))
    named = ", ".join(parts)
    numbered = sizes["H"] > 1 or facts["query"] == str(facts["query_number"])
    return f"{named} {words['from 0']}" if numbered else named
