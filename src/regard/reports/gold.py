"""Links people drew, on the words that a map's tokens spell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from regard.reports.extras import Gold
from regard.reports.record import AttentionRecord
from regard.seeing.alignment import (
    READINGS,
    Link,
    count_links,
    merge_pieces,
    strongest_links,
)
from regard.seeing.gold_alignments import GoldPair
from regard.seeing.pieces import is_special, pieces_of_words, word_groups

__all__ = ["Words", "gold_words", "pack_gold", "plain_words"]

#: Of each word, the numbers of its tokens.
Words = list[list[int]]

_UNKNOWN = ("<unk>", "[unk]")


def plain_words(tokens: Sequence[str], words: Sequence[str] | None = None) -> Words:
    """The words of a sequence, without marks such as its end.

    ``words`` are those the tokens must spell; by default the tokenizer's marks say.

    Raises:
        ValueError: the tokens spell something longer or shorter than ``words``.
    """
    kept = [at for at, token in enumerate(tokens) if not _is_mark(token)]
    pieces = [tokens[at] for at in kept]
    groups = word_groups(pieces) if words is None else pieces_of_words(pieces, words)
    return [[kept[at] for at in group] for group in groups]


def gold_words(record: AttentionRecord, gold: Gold | None) -> tuple[Words, Words]:
    """The words of queries and keys: as the people split them, where that fits."""
    if isinstance(gold, GoldPair):
        try:
            return (
                plain_words(record.query_tokens, gold.target),
                plain_words(record.key_tokens, gold.source),
            )
        except ValueError:
            pass
    return plain_words(record.query_tokens), plain_words(record.key_tokens)


def pack_gold(
    record: AttentionRecord, gold: Gold | None, words: tuple[Words, Words]
) -> dict[str, Any] | None:
    """The links for the page, and how those of the map compare with them: of each head
    and of their mean, by each of the two readings. None where the links do not belong
    to these words. Sure links are possible too; of a pair whose people judged some of
    the source words alone, only those count.
    """
    if gold is None:
        return None
    queries, keys = map(len, words)
    scored: frozenset[int] | None = None
    if isinstance(gold, GoldPair):
        if (queries, keys) != (len(gold.target), len(gold.source)):
            return None
        sure, possible, scored = gold.sure, gold.possible, gold.scored
    else:
        sure, possible = map(frozenset, gold)
    if not all(s < keys and t < queries for s, t in {*sure, *possible}):
        return None
    counted = range(keys) if scored is None else scored
    certain, known = (
        {link for link in links if link[0] in counted}
        for links in (sure, sure | possible)
    )
    tables = [] if record.weights is None else [each for each, _ in record.maps()]
    judged = [
        [
            _judged(table, _read_by(reading, words[0], len(table)), words[1], counted)
            for reading in READINGS
        ]
        for table in tables
    ]
    return {
        "sure": sorted(certain),
        "possible": sorted(known),
        "judged": [
            [_told(links, queries, certain, known) for links in readings]
            for readings in judged
        ],
    }


def _read_by(reading: str, words: Words, rows: int) -> Words:
    """The rows of written words: that predict their pieces, or that were fed them,
    which stand one below.
    """
    shift = READINGS.index(reading)
    return [[at + shift for at in word if at + shift < rows] for word in words]


def _judged(
    table: np.ndarray, queries: Words, keys: Words, counted: Collection[int]
) -> set[Link]:
    found = strongest_links(merge_pieces(np.nan_to_num(table), queries, keys))
    return {link for link in found if link[0] in counted}


def _told(
    links: set[Link], queries: int, sure: set[Link], possible: set[Link]
) -> list[Any]:
    """The key word of each written word or -1, how many are right, wrong, the AER."""
    best = dict.fromkeys(range(queries), -1) | {query: key for key, query in links}
    counts = count_links(links, sure, possible)
    right = int(counts.predicted_possible)
    return [list(best.values()), right, len(links) - right, counts.error_rate]


def _is_mark(token: str) -> bool:
    return is_special(token) and token.lower() not in _UNKNOWN
