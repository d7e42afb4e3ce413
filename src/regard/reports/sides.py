"""The token sequences of an example, each once however many maps it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regard.reports.gold import Words
from regard.reports.tokens import direction, shorten, show_tokens, visible

__all__ = ["Sides"]

_LONGEST_RAW = 200


class Sides:
    """Sequences by number: a map says which it has on its two sides."""

    def __init__(self) -> None:
        self.packed: list[dict[str, Any]] = []
        self._numbers: dict[tuple[Any, ...], int] = {}

    def number(self, tokens: Sequence[str], language: str, words: Words) -> int:
        """The number of this sequence, packed when it is met first."""
        name = tuple(tokens), language, tuple(map(tuple, words))
        if name not in self._numbers:
            self._numbers[name] = len(self.packed)
            self.packed.append(_pack(tokens, language, words))
        return self._numbers[name]


def _pack(tokens: Sequence[str], language: str, words: Words) -> dict[str, Any]:
    shown = show_tokens(tokens)
    raw = [shorten(visible(token), _LONGEST_RAW) for token in tokens]
    return {
        "text": [token.text for token in shown],
        "flags": "".join(
            "2" if token.special else "1" if token.joins else "0" for token in shown
        ),
        "raw": {
            index: text
            for index, text in enumerate(raw)
            if text not in (shown[index].text, "▁" + shown[index].text)
        },
        "words": _pack_words(words, len(tokens)),
        "language": language,
        "direction": direction(tokens, language),
    }


def _pack_words(words: Words, size: int) -> list[list[int]] | None:
    """The words in the order of the text, each by its number and those of its tokens;
    a mark such as the end, which is of no word, has the number -1. None where every
    token is a word.
    """
    if words == [[at] for at in range(size)]:
        return None
    inside = {at for word in words for at in word}
    found = [[number, *word] for number, word in enumerate(words)]
    found += [[-1, at] for at in range(size) if at not in inside]
    return sorted(found, key=lambda word: word[1])
