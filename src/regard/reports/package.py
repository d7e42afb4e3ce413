"""Examples and their maps, made ready for the page within a size limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from regard.reports.bands import band_number, left_out_bands, pack_bands
from regard.reports.comparing import divergences
from regard.reports.describing import describe, first_steps
from regard.reports.encoding import (
    Coding,
    Numbers,
    choose_coding,
    fits_levels,
    script_json,
)
from regard.reports.example import Example
from regard.reports.extras import Gold
from regard.reports.gold import gold_words, pack_gold
from regard.reports.outline import pack_outline
from regard.reports.packing import (
    pack_explanation,
    pack_texts,
    pack_timeline,
    pack_training,
)
from regard.reports.record import AttentionRecord
from regard.reports.sentences import Sentences, pack_sentences
from regard.reports.sides import Sides
from regard.reports.tokens import visible

__all__ = ["Package", "pack_examples"]


@dataclass(frozen=True)
class Package:
    """What the page carries: one entry and one blob of numbers for each example.

    ``bands`` are those of the data set, with the blob of their numbers; ``no_band``
    counts the maps that are too large for one.
    """

    coding: Coding
    entries: list[dict[str, Any]]
    blobs: list[str]
    left_out: int
    bands: list[dict[str, Any]]
    band_blob: str
    no_band: int

    def named_blobs(self) -> Iterator[tuple[str, str]]:
        """The blobs by number, and that of the bands as "b"."""
        yield from ((str(at), blob) for at, blob in enumerate(self.blobs))
        if self.bands:
            yield "b", self.band_blob


def pack_examples(
    examples: Sequence[Example], limit: int, embed_audio: bool = False
) -> Package:
    """Encode examples in order until ``limit`` bytes are full; count the rest."""
    every = [record for each in examples for _, _, record in _all_maps(each)]
    weights = [each.weights for each in every if each.weights is not None]
    count = sum(array.size for array in weights)
    coding = choose_coding(count, all(map(fits_levels, weights)))
    entries: list[dict[str, Any]] = []
    blobs: list[str] = []
    buffer = Numbers()
    bands = pack_bands(examples, buffer)
    band_blob = buffer.deflated() if bands else ""
    size = len(band_blob)
    for example in examples:
        entry, blob = _pack_example(example, coding, embed_audio)
        if example.timeline is not None and example.training is None:
            for number, record in enumerate(example.records()):
                entry["maps"][number]["band"] = band_number(bands, number, record)
        size += len(blob) + len(script_json(entry).encode())
        if size > limit:
            break
        entries.append(entry)
        blobs.append(blob)
    left_out = len(examples) - len(entries)
    no_band = left_out_bands(examples)
    return Package(coding, entries, blobs, left_out, bands, band_blob, no_band)


def _all_maps(example: Example) -> Iterator[tuple[int, bool, AttentionRecord]]:
    """Every map with its step of training and whether it is the second model's."""
    if example.training is not None:
        for step, records in enumerate(example.training.records):
            yield from ((step, False, each) for each in records)
        return
    yield from ((0, False, each) for each in example.records())
    yield from ((0, True, each) for each in example.others())


def _pack_example(
    example: Example, coding: Coding, embed_audio: bool
) -> tuple[dict[str, Any], str]:
    buffer = Numbers()
    sides = Sides()
    maps = [
        {"step": step, "second": second}
        | _pack_record(record, coding, buffer)
        | _pack_words(record, example.gold, sides)
        | describe(record, example.timeline)
        for step, second, record in _all_maps(example)
    ]
    seconds = (each for each in maps if each["second"])
    for each, *pair in zip(seconds, example.records(), example.others(), strict=False):
        each["apart"] = divergences(*pair)
    entry = pack_texts(example) | {"maps": maps, "sides": sides.packed}
    if example.explanation is not None:
        entry["explanation"] = pack_explanation(example.explanation)
    if example.training is not None:
        entry |= pack_training(example.training)
        entry["first"] = first_steps(maps, len(example.training.steps))
    if example.timeline is not None:
        entry["timeline"] = pack_timeline(example.timeline, buffer, embed_audio)
    return entry, buffer.deflated()


def _pack_words(
    record: AttentionRecord, gold: Gold | None, sides: Sides
) -> dict[str, Any]:
    queries, keys = gold_words(record, gold)
    return {
        "query": sides.number(record.query_tokens, record.query_language, queries),
        "key": sides.number(record.key_tokens, record.key_language, keys),
        "gold": pack_gold(record, gold, (queries, keys)),
    }


def _pack_record(
    record: AttentionRecord, coding: Coding, buffer: Numbers
) -> dict[str, Any]:
    """Append the numbers to ``buffer``; the rest, with their places, is returned."""
    names = {
        "layer": visible(record.layer, keep=" "),
        "heads": [visible(name, keep=" ") for name in record.heads],
    }
    if record.outline is not None:
        nothing = {"causes": [], "scoreStart": -1, "shares": []}
        return names | nothing | {"outline": pack_outline(record.outline, buffer)}
    causes = record.causes()
    masked = list(record.masks) if causes.any() else []
    scores = record.scores if not coding.levels else None
    shares = record.shares if coding.name != "u8" else {}
    return {
        **names,
        "coding": coding.name,
        "start": buffer.append(coding.encode(record.weights)),
        "causes": [visible(cause, keep=" ") for cause in masked],
        "causeStart": buffer.append(causes.tobytes()) if masked else -1,
        "shares": [
            [visible(name, keep=" "), buffer.append(coding.encode(table))]
            for name, table in shares.items()
        ],
        "scoreStart": -1 if scores is None else buffer.append(scores.tobytes()),
        "sentences": _pack_sentences(record, coding, buffer),
    }


def _pack_sentences(record: AttentionRecord, coding: Coding, buffer: Numbers) -> Any:
    if not isinstance(record.sentences, Sentences):
        return None
    return pack_sentences(record.sentences, record.table, coding, buffer)
