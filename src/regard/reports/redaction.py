"""Words that must not leave the house, blacked out before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from regard.reports.example import Example
from regard.reports.page_facts import in_languages
from regard.reports.record import AttentionRecord
from regard.seeing.pieces import is_special, without_mark, word_starts

__all__ = ["Redact", "Redaction"]

#: A function of a text, or words (any case) and compiled patterns.
Redact = Callable[[str], str] | str | re.Pattern[str] | Iterable[str | re.Pattern[str]]

_BLACK = "█"


class Redaction:
    """What is blacked out, in texts and in the tokens that spell them.

    Words and patterns become as many ``█`` as they have characters. A function's own
    answer stands in texts; of tokens, those of each word that it changed are blacked.

    Raises:
        ValueError: an empty word, something that is neither word, pattern nor function.
    """

    def __init__(self, rule: Redact) -> None:
        self._function = rule if callable(rule) else None
        self._patterns = [] if callable(rule) else _patterns(rule)

    def text(self, text: str) -> str:
        """The text without what must not be seen."""
        if self._function is not None:
            return self._function(text)
        letters = list(text)
        for start, end in self._spans(text):
            letters[start:end] = _BLACK * (end - start)
        return "".join(letters)

    def tokens(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, blacked out where they spell what must not be seen."""
        spelled, owners = _spell(tokens)
        hidden = {
            owners[at]
            for start, end in self._spans(spelled)
            for at in range(start, end)
        }
        return [
            _blackened(token) if at in hidden and not is_special(token) else token
            for at, token in enumerate(tokens)
        ]

    def example(self, example: Example) -> Example:
        """The example, redacted; names of layers and heads are kept."""
        changed: dict[str, Any] = {
            name: self.text(getattr(example, name)) for name in ("source", "output")
        }
        changed["references"] = tuple(map(self.text, example.references))
        changed["scores"] = self._names(example.scores)
        changed["attention"] = self._records(example.records())
        changed["other"] = self._records(example.others())
        if example.training is not None:
            steps = [self._records(each) for each in example.training.records]
            changed["training"] = replace(example.training, records=steps)
        if example.timeline is not None:
            channels = self._names(example.timeline.channels)
            changed["timeline"] = replace(example.timeline, channels=channels)
        if example.explanation is not None:
            changed["explanation"] = replace(
                example.explanation,
                probabilities=self._names(example.explanation.probabilities),
                compared=self._names(example.explanation.compared),
            )
        return replace(example, **changed)

    def page(self, page: Mapping[str, Any]) -> dict[str, Any]:
        """What stands on the page around the examples, redacted."""
        changed = dict(page)
        if page.get("title"):
            changed["title"] = self.text(page["title"])
        if page.get("names"):
            changed["names"] = tuple(map(self.text, page["names"]))
        changed["facts"] = self._facts(page.get("facts") or {})
        return changed

    def _facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        if in_languages(facts):
            return {each: self._facts(told) for each, told in facts.items()}
        return {
            self.text(str(name)): self.text(value) if isinstance(value, str) else value
            for name, value in facts.items()
        }

    def _records(self, records: Sequence[AttentionRecord]) -> list[AttentionRecord]:
        return [
            replace(
                each,
                query_tokens=self.tokens(each.query_tokens),
                key_tokens=self.tokens(each.key_tokens),
            )
            for each in records
        ]

    def _names(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {self.text(name): value for name, value in given.items()}

    def _spans(self, spelled: str) -> Iterator[tuple[int, int]]:
        if self._function is None:
            for pattern in self._patterns:
                yield from (found.span() for found in pattern.finditer(spelled))
            return
        before, after = (
            re.findall(r"\S+|\s+", text) for text in (spelled, self.text(spelled))
        )
        starts = [0]
        for word in before:
            starts.append(starts[-1] + len(word))
        for kind, first, last, _, _ in SequenceMatcher(
            None, before, after, autojunk=False
        ).get_opcodes():
            if kind != "equal":
                yield starts[first], starts[last]


def _patterns(rule: Any) -> list[re.Pattern[str]]:
    """Of a word any case will do; a pattern keeps its own flags."""
    parts = [rule] if isinstance(rule, str | re.Pattern) else list(rule)
    for part in parts:
        if not isinstance(part, str | re.Pattern) or not part:
            raise ValueError(
                "redact must be a function, or words and compiled patterns. "
                f"Got {part!r} among them."
            )
    return [
        re.compile(re.escape(part), re.IGNORECASE) if isinstance(part, str) else part
        for part in parts
    ]


def _spell(tokens: Sequence[str]) -> tuple[str, list[int]]:
    """The text that tokens spell, and which token each character is of.

    Words have a space between, but for tokens of one character each, which are letters.
    """
    starts = word_starts(tokens)
    letters = all(len(token) == 1 for token in tokens if not is_special(token))
    text, owners = [], []
    for at, token in enumerate(tokens):
        piece = without_mark(token)
        if at and starts[at] and not letters:
            piece = " " + piece
        text.append(piece)
        owners += [at] * len(piece)
    return "".join(text), owners


def _blackened(token: str) -> str:
    piece = without_mark(token)
    return token.replace(piece, _BLACK * len(piece), 1)
