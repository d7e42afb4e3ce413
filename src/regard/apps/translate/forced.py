"""The attention of a trained translator on translations that are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from regard.apps.translate.batches import BatchPlan
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.seeing.alignment import (
    AlignmentCounts,
    merge_pieces,
    rows_of_targets,
    strongest_links,
)
from regard.seeing.gold_alignments import GoldPair
from regard.seeing.pieces import pieces_of_words

_CLOSING = tuple(".,;:!?)]}»…%”")
_OPENING = tuple("([{«“")


class Spelled(NamedTuple):
    """The words of one side in the pieces of the model."""

    ids: list[int]
    words: list[list[int]]  # of each word, the places of its pieces


class Forced(NamedTuple):
    """A gold pair with the weights ``(target pieces + end, source pieces + end)``.

    With heads they are ``(H, T, S)``.
    """

    pair: GoldPair
    source: Spelled
    target: Spelled
    weights: np.ndarray

    def words(self, reading: str) -> np.ndarray:
        """The mean over heads, ``(target words, source words)``."""
        weights = self.weights.mean(axis=0) if self.weights.ndim == 3 else self.weights
        rows = rows_of_targets(weights, reading)
        return merge_pieces(rows, self.target.words, self.source.words)

    def judged(self, reading: str) -> AlignmentCounts:
        """How the strongest source word of each target word compares with the gold."""
        return self.pair.count(strongest_links(self.words(reading)))


def force(model: Any, gold: Sequence[GoldPair], sides: Sequence[Any]) -> list[Forced]:
    """Feed each gold target, piece by piece, and keep what every step looked at.

    ``sides`` are the tokenizers of the source and the target.
    """
    sources = [spell(sides[0], pair.source) for pair in gold]
    targets = [spell(sides[1], pair.target) for pair in gold]
    plan = BatchPlan(
        [side.ids for side in sources], [side.ids for side in targets], max_length=400
    )
    found: dict[int, np.ndarray] = {}
    for batch in plan.fixed():
        inputs = {"source": batch.source, "target": batch.target_input}
        _, weights = model(inputs, training=False, return_attention_scores=True)
        weights = ops.convert_to_numpy(weights)
        for row, pair in enumerate(batch.rows):
            if pair >= 0:
                sizes = len(targets[pair].ids) + 1, len(sources[pair].ids) + 1
                found[int(pair)] = weights[row, ..., : sizes[0], : sizes[1]]
    return [
        Forced(gold[index], sources[index], targets[index], found[index])
        for index in sorted(found)
    ]


def spell(tokenizer: SubwordTokenizer, words: Sequence[str]) -> Spelled:
    """Write the words as people do, since the model learned from such texts."""
    (ids,) = tokenizer.encode(["".join(_spaced(words))])
    return Spelled(ids, pieces_of_words(tokenizer.pieces(ids), words))


def _spaced(words: Sequence[str]) -> Iterator[str]:
    """The words with spaces between, but for punctuation that leans on a word."""
    inside = False
    glue = True
    for word in words:
        quote = word == '"'
        closing = word in _CLOSING or (quote and inside) or word[0] in "'’"
        yield word if glue or closing else f" {word}"
        inside ^= quote
        glue = word in _OPENING or (quote and inside) or word[-1] in "'’"


def direction_of(gold: Sequence[GoldPair], sides: Sequence[SubwordTokenizer]) -> bool:
    """Whether the gold's source is the language that the run writes.

    A tokenizer needs fewer pieces for the language that it was trained on.
    """
    texts = [
        [" ".join(pair.source) for pair in gold],
        [" ".join(pair.target) for pair in gold],
    ]
    needed = [
        [sum(map(len, tokenizer.encode(text))) for text in texts] for tokenizer in sides
    ]
    return needed[0][1] + needed[1][0] < needed[0][0] + needed[1][1]
