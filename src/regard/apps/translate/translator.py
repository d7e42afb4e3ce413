"""A trained model with its tokenizers: texts in, translations and attention out."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.apps.special_ids import BOS, EOS, PAD, UNK
from regard.apps.translate.checkpoints import read_model
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.models import Search, Searcher

_ROWS = 64  # sources searched together: one shape for every length
_LENGTHS = 8  # lengths are rounded up to a multiple, so that few shapes are compiled
LENGTH_ALPHA = 1.0


@dataclass(frozen=True, eq=False)
class Translation:
    """One hypothesis.

    ``weights`` (T, S), with heads (H, T, S): for each of `pieces` (T, the end mark
    last) how much of its attention went to each of `source_pieces` (S). ``ids`` and
    ``source_ids`` are what the model wrote and read.
    """

    text: str
    score: float
    source_pieces: list[str]
    pieces: list[str]
    weights: np.ndarray
    ids: list[int]
    source_ids: list[int]


class Translator:
    """Translates texts.

    Args:
        model: a `Seq2Seq` or anything with its `encode`, `initial_state` and `step`.
        source: the tokenizer of the texts.
        target: the tokenizer of the translations.
        max_length: pieces a translation may have at most, the end mark included.
    """

    def __init__(
        self,
        model: Any,
        source: SubwordTokenizer,
        target: SubwordTokenizer,
        max_length: int = 60,
    ):
        self.model, self.source, self.target = model, source, target
        self.max_length = max_length
        self._searchers: dict[Search, Searcher] = {}

    @classmethod
    def load(cls, folder: RunFolder) -> "Translator":
        """Load the best checkpoint of a run."""
        source, target = folder.tokenizers()
        model = read_model(folder.checkpoint(), compile=False)
        return cls(model, source, target, folder.config().data.max_length)

    def translate(
        self, texts: Sequence[str], beam: int = 5, **options: Any
    ) -> list[Translation]:
        """Return the best translation of each text.

        Args:
            texts: what to translate; of texts longer than any the model has seen only
                the beginning is read, and a warning says so.
            beam: hypotheses kept at every step.
            options: further settings of `regard.models.Search`.
        """
        return [found[0] for found in self.hypotheses(texts, beam, **options)]

    def hypotheses(
        self, texts: Sequence[str], beam: int = 5, seed: int = 0, **options: Any
    ) -> list[list[Translation]]:
        """Return all hypotheses of the beam for each text, the best first."""
        search = self._searcher(beam, options)
        pieces = self.source.encode(texts)
        self._warn_of_cut([len(each) for each in pieces])
        ids = self._cut(pieces)
        found: list[list[Translation]] = [[] for _ in texts]
        for rows, source in self._batches(ids):
            result = search(source, seed=seed, shown=len(rows))
            for at, row in enumerate(rows):
                found[row] = [
                    self._translation(ids[row], result, at, rank)
                    for rank in range(result.ids.shape[1])
                ]
        return found

    def rehearse(self, texts: Sequence[str], beam: int = 5, **options: Any) -> None:
        """Search one batch of every shape that `texts` have, which compiles them."""
        search = self._searcher(beam, options)
        batches = self._batches(self._cut(self.source.encode(texts)))
        for source in {source.shape: source for _, source in batches}.values():
            search(source)

    def _cut(self, pieces: Sequence[list[int]]) -> list[list[int]]:
        return [[*each[: self.max_length], EOS] for each in pieces]

    def _warn_of_cut(self, sizes: Sequence[int]) -> None:
        cut = [row for row, size in enumerate(sizes) if size > self.max_length]
        if cut:
            warnings.warn(
                f"texts must have at most {self.max_length} pieces each, as the model "
                f"learnt. Got {sizes[cut[0]]} in texts[{cut[0]}] ({len(cut)} of "
                f"{len(sizes)} are too long): only the beginning is read. Divide them "
                "into sentences.",
                stacklevel=3,
            )

    def _searcher(self, beam: int, options: dict[str, Any]) -> Searcher:
        fixed = {"start": BOS, "end": EOS, "forbidden": (PAD, BOS, UNK)}
        wanted = {"length_alpha": LENGTH_ALPHA, "max_length": self.max_length, **fixed}
        search = Search(beam=beam, **{**wanted, **options})
        if search not in self._searchers:
            self._searchers[search] = Searcher(self.model, search)
        return self._searchers[search]

    def _batches(
        self, ids: Sequence[Sequence[int]]
    ) -> Iterator[tuple[list[int], np.ndarray]]:
        """Rows of alike lengths with their padded ids, shaped alike."""
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        rows_at_once = 8 if len(ids) <= 8 else _ROWS
        for start in range(0, len(order), rows_at_once):
            rows = order[start : start + rows_at_once]
            longest = max(len(ids[row]) for row in rows)
            length = -(-longest // _LENGTHS) * _LENGTHS
            source = np.full((rows_at_once, length), PAD, "int32")
            source[:, 0] = EOS  # rows that are not used hold an empty text
            for at, row in enumerate(rows):
                source[at, : len(ids[row])] = ids[row]
            yield rows, source

    def _translation(
        self, source: list[int], result: Any, at: int, rank: int
    ) -> Translation:
        length = int(result.lengths[at, rank])
        ids = result.ids[at, rank, :length].tolist()
        weights = result.alignments[at, rank, :, :length, : len(source)]
        return Translation(
            text=self.target.decode(ids),
            score=float(result.scores[at, rank]),
            source_pieces=self.source.pieces(source),
            pieces=self.target.pieces(ids),
            weights=weights[0] if len(weights) == 1 else weights,
            ids=ids,
            source_ids=source,
        )
