"""From attention to word alignments, and how far those are from the right ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "READINGS",
    "AlignmentCounts",
    "Link",
    "count_links",
    "diagonal_links",
    "links_above",
    "merge_pieces",
    "rows_of_targets",
    "strongest_links",
]

#: A source word and a target word, both counted from 0.
Link = tuple[int, int]

#: Two alignments lie in one map: of the token that a row predicts ("output"), and of
#: the token that it was fed ("input"), which is the one before.
READINGS = ("output", "input")


@dataclass(frozen=True)
class AlignmentCounts:
    """Links counted over one sentence or, added up, over a corpus.

    With A predicted, S sure and P possible links (S within P; Och & Ney, 2003):

    - ``precision`` = |A∩P| / |A|
    - ``recall`` = |A∩S| / |S|
    - ``error_rate`` = 1 − (|A∩S| + |A∩P|) / (|A| + |S|), the AER

    Counts are summed over a corpus before they are divided. Where there is nothing to
    divide by, precision and recall are 1 and the error rate is 0.
    """

    predicted: float = 0
    sure: float = 0
    predicted_sure: float = 0
    predicted_possible: float = 0

    def __add__(self, other: AlignmentCounts) -> AlignmentCounts:
        return AlignmentCounts(
            self.predicted + other.predicted,
            self.sure + other.sure,
            self.predicted_sure + other.predicted_sure,
            self.predicted_possible + other.predicted_possible,
        )

    @property
    def precision(self) -> float:
        return self.predicted_possible / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        return self.predicted_sure / self.sure if self.sure else 1.0

    @property
    def error_rate(self) -> float:
        found = self.predicted_sure + self.predicted_possible
        total = self.predicted + self.sure
        return 1 - found / total if total else 0.0


def count_links(
    predicted: Collection[Link],
    sure: Collection[Link],
    possible: Collection[Link] = (),
) -> AlignmentCounts:
    """Compare the links of one sentence; sure links count as possible ones too."""
    chosen, certain = set(predicted), set(sure)
    return AlignmentCounts(
        len(chosen),
        len(certain),
        len(chosen & certain),
        len(chosen & (certain | set(possible))),
    )


def rows_of_targets(weights: np.ndarray, reading: str = "output") -> np.ndarray:
    """``(T+1, S)`` -> ``(T, S)``: one row for each of T target pieces.

    Row i of a decoder predicts target i and was fed target i−1; the last row predicts
    the end. So target i is read from row i with ``reading="output"`` and from row
    i+1, after it was fed, with ``reading="input"``.

    Raises:
        ValueError: another reading.
    """
    if reading not in READINGS:
        raise ValueError(f"reading must be one of {READINGS}. Got {reading!r}.")
    return weights[:-1] if reading == "output" else weights[1:]


def merge_pieces(
    weights: np.ndarray,
    target_words: Sequence[Sequence[int]],
    source_words: Sequence[Sequence[int]],
) -> np.ndarray:
    """``(T, S)`` of pieces -> ``(target words, source words)``.

    The weights of the pieces of a source word are summed, those of a target word
    averaged (Clark et al., 2019). A piece that is in no word, such as the end mark, is
    dropped; a word without pieces gets zeros.

    Raises:
        ValueError: a piece outside the map.
    """
    weights = np.asarray(weights, np.float64)
    _check_pieces("target_words", target_words, weights.shape[0])
    _check_pieces("source_words", source_words, weights.shape[1])
    merged = np.zeros((len(target_words), len(source_words)))
    for column, pieces in enumerate(source_words):
        summed = weights[:, list(pieces)].sum(axis=1)
        for row, rows in enumerate(target_words):
            if rows:
                merged[row, column] = summed[list(rows)].mean()
    return merged


def strongest_links(strengths: np.ndarray, per: str = "target") -> set[Link]:
    """The links (source, target) of a table ``(target words, source words)``.

    Each target word is linked to its strongest source word or, with ``per="source"``,
    each source word to its strongest target word. A word whose strengths are all 0
    has no link.

    Raises:
        ValueError: neither of the two.
    """
    if per not in ("target", "source"):
        raise ValueError(f"per must be 'target' or 'source'. Got {per!r}.")
    table = np.asarray(strengths) if per == "target" else np.transpose(strengths)
    if not table.size:
        return set()
    best = table.argmax(axis=1)
    pairs = [
        (int(other), word) for word, other in enumerate(best) if table[word, other] > 0
    ]
    return {pair if per == "target" else pair[::-1] for pair in pairs}


def links_above(strengths: np.ndarray, threshold: float) -> set[Link]:
    """All links (source, target) with at least that weight, however many they are."""
    places = np.argwhere(np.asarray(strengths) >= threshold)
    return {(int(source), int(target)) for target, source in places}


def diagonal_links(source_count: int, target_count: int) -> set[Link]:
    """The baseline that reads nothing: each target word at the same relative place."""
    if not source_count:
        return set()
    step = (source_count - 1) / max(1, target_count - 1)
    return {(round(target * step), target) for target in range(target_count)}


def _check_pieces(name: str, words: Iterable[Sequence[int]], size: int) -> None:
    largest = max((max(word) for word in words if word), default=-1)
    if largest >= size:
        raise ValueError(
            f"{name} must hold pieces below {size}, the size of weights on that axis. "
            f"Got {largest}."
        )
