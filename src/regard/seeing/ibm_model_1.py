"""IBM Model 1: the word alignment that needs no network, as a yardstick."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from regard.seeing.alignment import Link, strongest_links

__all__ = ["IbmModel1", "split_words", "stem"]

Words = Sequence[str]


def split_words(sentence: str) -> list[str]:
    """The words without punctuation, which would only claim a share of every word."""
    return re.findall(r"\w+", sentence)


def stem(word: str, letters: int = 5) -> str:
    """The first letters in lower case: a crude stem that joins most inflections."""
    return word.lower()[:letters]


class IbmModel1:
    """Translation probabilities t(target | source) by expectation maximisation.

    p(target | source) ∝ Π_j Σ_i t(f_j | e_i), where e_0 is an empty word that any
    target may come from (Brown et al., 1993, section 4). The order of words plays no
    part, so the likelihood has one maximum on which every start ends.
    """

    def __init__(self, pairs: Iterable[tuple[Words, Words]], iterations: int = 5):
        """Fit on pairs of word lists; words are compared by `stem`.

        Raises:
            ValueError: no pairs, or fewer than one iteration.
        """
        if iterations < 1:
            raise ValueError(f"iterations must be at least 1. Got {iterations}.")
        self._sources: dict[str, int] = {"": 0}
        self._targets: dict[str, int] = {}
        sources, targets, slots = self._cells(pairs)
        if not len(slots):
            raise ValueError("pairs must hold at least one target word. Got none.")
        keys = sources * len(self._targets) + targets
        self._keys, place = np.unique(keys, return_inverse=True)
        self._chances = np.ones(len(self._keys))
        origin = self._keys // len(self._targets)
        for _ in range(iterations):
            share = self._chances[place]
            share = share / np.bincount(slots, share)[slots]
            counts = np.bincount(place, share, minlength=len(self._keys))
            self._chances = counts / np.bincount(origin, counts)[origin]

    def links(self, source: Words, target: Words, per: str = "target") -> set[Link]:
        """The most probable links (source, target), as `strongest_links` picks them.

        Of target words (``per="target"``) those have no link that most probably come
        from the empty word. A model of the other direction, given ``(target, source)``
        and ``per="source"``, again links each target word once.
        """
        table = self.table(source, target)
        if per == "target":
            empty = self.table([""], target)
            table = np.where(table > empty, table, 0.0)
        return strongest_links(table, per)

    def table(self, source: Words, target: Words) -> np.ndarray:
        """``(target words, source words)``: t(target | source), ``""`` is the empty."""
        origins = np.array([self._sources.get(stem(word), -1) for word in source])
        goals = np.array([self._targets.get(stem(word), -1) for word in target])
        known = (origins >= 0) & (goals[:, None] >= 0)
        keys = origins * len(self._targets) + goals[:, None]
        place = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(known & (self._keys[place] == keys), self._chances[place], 0.0)

    def _cells(self, pairs: Iterable[tuple[Words, Words]]) -> tuple[np.ndarray, ...]:
        """Every (source word, target word) that meet, and the target slot they fill."""
        sources, targets, slots = [], [], []
        slot = 0
        for source, target in pairs:
            codes = [0, *(self._code(self._sources, word) for word in source)]
            for word in target:
                to = self._code(self._targets, word)
                sources += codes
                targets += [to] * len(codes)
                slots += [slot] * len(codes)
                slot += 1
        return tuple(np.asarray(each, np.int64) for each in (sources, targets, slots))

    @staticmethod
    def _code(codes: dict[str, int], word: str) -> int:
        return codes.setdefault(stem(word), len(codes))
