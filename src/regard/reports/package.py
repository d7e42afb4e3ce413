"""Examples and their maps, made ready for the page within a size limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.reports.encoding import (
    Coding,
    choose_coding,
    deflate,
    fits_levels,
    script_json,
)
from regard.reports.record import AttentionRecord, Example
from regard.reports.sides import Sides
from regard.reports.tokens import shorten, visible
from regard.seeing.diagnostics import diagnose

__all__ = ["Package", "pack_examples"]

_LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Package:
    """What the page carries: one entry and one blob of numbers for each example."""

    coding: Coding
    entries: list[dict[str, Any]]
    blobs: list[str]
    left_out: int


def pack_examples(examples: Sequence[Example], limit: int) -> Package:
    """Encode examples in order until ``limit`` bytes are full; count the rest."""
    weights = [record.weights for each in examples for record in each.records()]
    count = sum(array.size for array in weights)
    coding = choose_coding(count, all(map(fits_levels, weights)))
    entries: list[dict[str, Any]] = []
    blobs: list[str] = []
    size = 0
    for example in examples:
        entry, blob = _pack_example(example, coding)
        size += len(blob) + len(script_json(entry).encode())
        if size > limit:
            break
        entries.append(entry)
        blobs.append(blob)
    return Package(coding, entries, blobs, len(examples) - len(entries))


def _pack_example(example: Example, coding: Coding) -> tuple[dict[str, Any], str]:
    buffer = bytearray()
    sides = Sides()
    maps = [_pack_record(each, coding, buffer, sides) for each in example.records()]
    entry = _pack_texts(example) | {"maps": maps, "sides": sides.packed}
    return entry, deflate(bytes(buffer))


def _pack_texts(example: Example) -> dict[str, Any]:
    return {
        "source": _text(example.source),
        "output": _text(example.output),
        "references": [_text(each) for each in example.references],
        "sourceLanguage": example.source_language,
        "outputLanguage": example.output_language,
        "scores": {
            visible(name, keep=" "): float(value)
            for name, value in example.scores.items()
            if np.isfinite(value)
        },
    }


def _text(text: str) -> str:
    return shorten(visible(text, keep=" \n"), _LONGEST_TEXT)


def _pack_record(
    record: AttentionRecord, coding: Coding, buffer: bytearray, sides: Sides
) -> dict[str, Any]:
    """Append the numbers to ``buffer``; the rest, with their places, is returned."""
    causes = record.causes()
    masked = list(record.masks) if causes.any() else []
    scores = record.scores if not coding.levels else None
    return {
        "layer": visible(record.layer, keep=" "),
        "heads": [visible(name, keep=" ") for name in record.heads],
        "coding": coding.name,
        "start": _append(buffer, coding.encode(record.weights)),
        "causes": [visible(cause, keep=" ") for cause in masked],
        "causeStart": _append(buffer, causes.tobytes()) if masked else -1,
        "scoreStart": -1 if scores is None else _append(buffer, scores.tobytes()),
        "query": sides.number(record.query_tokens, record.query_language),
        "key": sides.number(record.key_tokens, record.key_language),
        **_describe(record),
    }


def _append(buffer: bytearray, data: bytes) -> int:
    # A Float32Array may only begin at a multiple of four bytes.
    buffer.extend(bytes(-len(buffer) % 4))
    start = len(buffer)
    buffer.extend(data)
    return start


def _describe(record: AttentionRecord) -> dict[str, Any]:
    """The diagnosis of each head and, where there are several, of their mean."""
    allowed = record.allowed()
    maps = list(zip(record.weights, allowed, strict=True))
    if len(maps) > 1:
        maps.append((record.average(), allowed.any(axis=0)))
    same = record.query_tokens == record.key_tokens
    found = [diagnose(*each) for each in maps]
    return {
        "said": [each.words(same_sequence=same) for each in found],
        "effective": [round(each.effective, 3) for each in found],
    }
