"""The report of a translator: its translations, and the matrix behind each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sacrebleu

from regard.apps.translate.evaluation import Translation, Translator
from regard.apps.translate.pairs import Pair, PairSet
from regard.reports import AttentionRecord, Example, write_report


def write_translation_report(
    translator: Translator,
    pairs: PairSet,
    path: Path,
    beam: int = 5,
    language: str = "en",
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Translate the pairs' sources and write the page.

    Raises:
        ValueError: a language that the page does not speak.
    """
    found = translator.translate(pairs.sources, beam=beam)
    return write_report(
        translation_examples(pairs.pairs, found),
        path,
        title="Translations, and where the model looked",
        facts={
            "pairs": Path(pairs.name).name,
            "search": f"beam {beam}",
            **(facts or {}),
        },
        language=language,
    )


def translation_examples(
    pairs: Sequence[Pair], found: Sequence[Translation]
) -> list[Example]:
    """Return one example of a report for each pair, scored by chrF."""
    chrf = sacrebleu.CHRF()
    return [
        Example(
            source=pair.source,
            output=translation.text,
            references=pair.references,
            scores={
                "chrF": chrf.sentence_score(
                    translation.text, list(pair.references)
                ).score
            },
            attention=record_of(translation),
        )
        for pair, translation in zip(pairs, found, strict=True)
    ]


def record_of(translation: Translation) -> AttentionRecord:
    """Return the alignment of a translation, for pages and terminals."""
    return AttentionRecord(
        weights=translation.weights,
        query_tokens=translation.pieces,
        key_tokens=translation.source_pieces,
    )
