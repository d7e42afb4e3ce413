"""The tokens on both sides of every map of a report, and what they spell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from regard.reports.documents import are_nested
from regard.reports.example import Example
from regard.seeing.pieces import is_special, without_mark, word_groups

__all__ = ["Texts", "Tokens"]

#: The tokens of one example, or of all of them; of keys also sentences of tokens.
Tokens = Sequence[str] | Sequence[Sequence[Any]] | None


@dataclass(frozen=True)
class Texts:
    """The tokens of every example on the two sides, where they are known."""

    queries: list[list[str]] | None
    keys: list[list[str]] | None
    sentences: list[list[list[str]]] | None = None  # of the keys

    @classmethod
    def of(cls, query_tokens: Tokens, key_tokens: Tokens) -> Texts:
        """One side alone is taken for both; sentences of keys are laid in a row."""
        queries, keys = _batch(query_tokens), _batch(key_tokens)
        sentences = None
        if keys and any(map(are_nested, keys)):
            sentences = [[list(each) for each in example] for example in keys]
            keys = [list(chain.from_iterable(each)) for each in sentences]
        return cls(queries or keys, keys or queries, sentences)

    def check(self, examples: int, places: float = np.inf) -> None:
        """Raise unless there are tokens for each example, or none at all.

        ``places`` is how many queries or keys the longest map has.
        """
        for name, side in self._given():
            if len(side) != examples:
                raise ValueError(
                    f"{name} must have one list of strings for each of the {examples} "
                    f"examples. Got {len(side)}."
                )
            longest = max(map(len, side), default=0)
            if longest > places and self.sentences is None:
                raise ValueError(
                    f"{name} must have at most {places} tokens for an example, as many "
                    f"as the layers have places. Got {longest}."
                )

    def _given(self) -> list[tuple[str, list[list[str]]]]:
        """The sides by their names; one alone stands for both, and for either name."""
        if self.queries is None or self.keys is None:
            return []
        if self.queries is self.keys:
            return [("query_tokens or key_tokens", self.keys)]
        return [("query_tokens", self.queries), ("key_tokens", self.keys)]

    @property
    def most_sentences(self) -> int:
        """As many calls has a layer that ``TimeDistributed`` calls for each of them."""
        return max(map(len, self.sentences or ()), default=0)

    def of_sentence(self, example: int, number: int | None) -> Texts:
        """The texts of a call that reads one sentence of an example alone."""
        if number is None or self.sentences is None:
            return self
        sentences = self.sentences[example]
        words = sentences[number] if number < len(sentences) else []
        sides = [words if at == example else [] for at in range(len(self.sentences))]
        return Texts(sides, sides)

    def fitting(
        self, example: int, sizes: Sequence[int], causal: bool
    ) -> tuple[Sequence[str], Sequence[str]]:
        """The tokens of a map's rows and columns: the two sides that fit it best.

        Where queries and keys may both be either side, a causal map is of the queries
        alone, another one of the keys alone.
        """
        if self.queries is None or self.keys is None:
            return _numbers(sizes[0]), _numbers(sizes[1])
        output, source = self.queries, self.keys
        selves = [(output, output), (source, source)]
        pairs = [*(selves if causal else selves[::-1]), (output, source)]
        best = min(pairs, key=lambda pair: sum(map(_spare, pair, sizes)))
        if sum(map(_spare, best, sizes)) < np.inf:
            return best[0][example], best[1][example]
        # As of a pooling, which reads all keys with one query of its own.
        alone = min(source, output, key=lambda side: _spare(side, sizes[1]))
        fits = _spare(alone, sizes[1]) < np.inf
        return _numbers(sizes[0]), alone[example] if fits else _numbers(sizes[1])

    def text(self, example: int, side: str) -> str:
        """What the tokens of a side spell."""
        tokens = getattr(self, side)
        return "" if tokens is None else _spelled(tokens[example])

    def example(self, at: int, **shown: Any) -> Example:
        """What is shown of an example, below the texts of its two sides."""
        output = "" if self.queries == self.keys else self.text(at, "queries")
        source = self.text(at, "keys") or f"№ {at + 1}"
        return Example(source=source, output=output, **shown)


def _numbers(size: int) -> list[str]:
    return [str(at + 1) for at in range(size)]


def _spare(side: Sequence[Sequence[str]], size: int) -> float:
    """The padding after the longest sequence; inf where that does not fit."""
    longest = max(map(len, side))
    return size - longest if longest <= size else np.inf


def _batch(tokens: Tokens) -> list[list[str]] | None:
    if tokens is None:
        return None
    if isinstance(tokens, str):
        raise ValueError(
            f"tokens must be lists of strings. Got the string {tokens!r}; split it."
        )
    if tokens and isinstance(tokens[0], str):
        return [[str(each) for each in tokens]]
    return [list(each) for each in tokens]


def _spelled(tokens: Sequence[str]) -> str:
    words = [group for group in word_groups(tokens) if not is_special(tokens[group[0]])]
    return " ".join(
        "".join(without_mark(tokens[at]) for at in group) for group in words
    )
