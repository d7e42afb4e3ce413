"""Scores of a translator on pairs it has not seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

from regard.apps.translate.pairs import PairSet
from regard.apps.translate.translator import Translation, Translator

__all__ = ["Scores", "Translation", "Translator", "evaluate", "score"]


@dataclass(frozen=True)
class Scores:
    """BLEU and chrF with sacrebleu's signatures, and how fast the search was."""

    bleu: float
    bleu_signature: str
    chrf: float
    chrf_signature: str
    exact_match: float
    tokens_per_second: float
    translations: list[str]


def evaluate(
    translator: Translator, pairs: PairSet, beam: int = 5, **options: float
) -> Scores:
    """Translate the sources and compare with every reference that was read.

    `exact_match` is the share of translations that equal one of their references;
    `tokens_per_second` counts target pieces once every shape is compiled.
    """
    sources = pairs.sources
    translator.rehearse(sources, beam, **options)
    started = time.monotonic()
    found = translator.translate(sources, beam, **options)
    seconds = time.monotonic() - started
    pieces = sum(len(each.pieces) for each in found)
    texts = [each.text for each in found]
    return score(texts, [pair.references for pair in pairs.pairs], pieces / seconds)


def score(
    texts: Sequence[str],
    references: Sequence[Sequence[str]],
    tokens_per_second: float = 0.0,
) -> Scores:
    """Compare texts with one or more references each."""
    streams: Any = _streams(references)  # sacrebleu's types forbid its own None
    bleu, chrf = BLEU(), CHRF()
    bleu_score = bleu.corpus_score(list(texts), streams).score
    chrf_score = chrf.corpus_score(list(texts), streams).score
    pairs = zip(texts, references, strict=True)
    exact = sum(text in given for text, given in pairs) / len(texts)
    return Scores(
        bleu=bleu_score,
        bleu_signature=str(bleu.get_signature()),
        chrf=chrf_score,
        chrf_signature=str(chrf.get_signature()),
        exact_match=exact,
        tokens_per_second=tokens_per_second,
        translations=list(texts),
    )


def _streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """Sacrebleu's form: the first reference of each, the second of each ..."""
    most = max(len(each) for each in references)
    return [
        [each[at] if at < len(each) else None for each in references]
        for at in range(most)
    ]
