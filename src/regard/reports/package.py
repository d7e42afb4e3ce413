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
from regard.reports.tokens import direction, shorten, show_tokens, visible
from regard.seeing.diagnostics import diagnose

__all__ = ["Package", "pack_examples"]

_LONGEST_TEXT = 20_000
_LONGEST_RAW = 200


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
        buffer = bytearray()
        maps = [_pack_record(each, coding, buffer) for each in example.records()]
        entry, blob = _pack_texts(example) | {"maps": maps}, deflate(bytes(buffer))
        size += len(blob) + len(script_json(entry).encode())
        if size > limit:
            break
        entries.append(entry)
        blobs.append(blob)
    return Package(coding, entries, blobs, len(examples) - len(entries))


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
    record: AttentionRecord, coding: Coding, buffer: bytearray
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
        **_pack_tokens("query", record.query_tokens, record.query_language),
        **_pack_tokens("key", record.key_tokens, record.key_language),
        **_describe(record),
    }


def _append(buffer: bytearray, data: bytes) -> int:
    # A Float32Array may only begin at a multiple of four bytes.
    buffer.extend(bytes(-len(buffer) % 4))
    start = len(buffer)
    buffer.extend(data)
    return start


def _pack_tokens(side: str, tokens: Sequence[str], language: str) -> dict[str, Any]:
    shown = show_tokens(tokens)
    raw = [shorten(visible(token), _LONGEST_RAW) for token in tokens]
    return {
        side: [token.text for token in shown],
        f"{side}Flags": "".join(
            "2" if token.special else "1" if token.joins else "0" for token in shown
        ),
        f"{side}Raw": {
            index: text
            for index, text in enumerate(raw)
            if text not in (shown[index].text, "▁" + shown[index].text)
        },
        f"{side}Language": language,
        f"{side}Direction": direction(tokens, language),
    }


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
