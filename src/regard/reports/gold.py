"""Links people drew, on the words that a map's tokens spell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regard.reports.extras import Gold
from regard.reports.record import AttentionRecord
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


def pack_gold(gold: Gold | None, words: tuple[Words, Words]) -> dict[str, Any] | None:
    """The links for the page, or None where they do not belong to these words."""
    if gold is None:
        return None
    queries, keys = map(len, words)
    scored = None
    if isinstance(gold, GoldPair):
        if (queries, keys) != (len(gold.target), len(gold.source)):
            return None
        sure, possible = gold.sure, gold.possible
        scored = None if gold.scored is None else sorted(gold.scored)
    else:
        sure, possible = map(frozenset, gold)
    inside = all(s < keys and t < queries for s, t in {*sure, *possible})
    if not inside:
        return None
    return {"sure": sorted(sure), "possible": sorted(possible), "scored": scored}


def _is_mark(token: str) -> bool:
    return is_special(token) and token.lower() not in _UNKNOWN
