"""The report of a translator: its translations, and the matrix behind each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sacrebleu

from regard.apps.translate.evaluation import Translation, Translator
from regard.apps.translate.forced import Forced, direction_of, force
from regard.apps.translate.pairs import Pair, PairSet
from regard.cards.typography import numeral
from regard.reports import AttentionRecord, Example
from regard.reports.phrases import check_language
from regard.reports.report import report
from regard.seeing.alignment import READINGS, AlignmentCounts
from regard.seeing.gold_alignments import GoldPair

_WORDS = {
    "en": {
        "translations": "Translations, and where the model looked",
        "alignments": "Where the model looked, and the links that people drew",
        "pairs": "pairs",
        "search": "search",
        "beam": "beam {beam}",
        "gold": "links",
        "fed": "output",
        "forced": "the right translations, fed to the model",
        "output": "attention, row that predicts the word",
        "input": "attention, row after the word was fed",
    },
    "ru": {
        "translations": "Переводы и то, куда смотрела модель",
        "alignments": "Куда смотрела модель и какие связи провели люди",
        "pairs": "пары",
        "search": "поиск",
        "beam": "луч, ширина {beam}",
        "gold": "связи",
        "fed": "выход",
        "forced": "верные переводы, поданные модели",
        "output": "внимание строки, предсказывающей слово",
        "input": "внимание строки после подачи слова",
    },
}


def write_translation_report(
    translator: Translator,
    pairs: PairSet,
    path: Path,
    beam: int = 5,
    language: str = "en",
    facts: Mapping[str, Any] | None = None,
    redact: Sequence[str] = (),
) -> Path:
    """Translate the pairs' sources and write the page, the words of ``redact`` blacked.

    Raises:
        ValueError: a language that the page does not speak.
    """
    words = _words(language)
    found = translator.translate(pairs.sources, beam=beam)
    given = {
        words["pairs"]: Path(pairs.name).name,
        words["search"]: words["beam"].format(beam=beam),
    }
    return report(
        translation_examples(pairs.pairs, found),
        path=path,
        title=words["translations"],
        facts=given | dict(facts or {}),
        language=language,
        redact=redact or None,
    )


def write_gold_report(
    translator: Translator,
    gold: Sequence[GoldPair],
    path: Path,
    language: str = "en",
    name: str = "",
    redact: Sequence[str] = (),
) -> Path:
    """Feed the right translations to the model, and write where it looked meanwhile.

    The attention stands beside the links that people drew, with its error rate under
    both readings: over all pairs in the header, of each pair for sorting.

    Raises:
        ValueError: a language that the page does not speak.
    """
    words = _words(language)
    sides = translator.source, translator.target
    if direction_of(gold, sides):
        gold = [pair.transposed() for pair in gold]
    forced = force(translator.model, gold, sides)
    facts: dict[str, Any] = {words["gold"]: name, words["fed"]: words["forced"]}
    for reading in READINGS:
        total = sum((each.judged(reading) for each in forced), AlignmentCounts())
        facts[words[reading]] = numeral(f"AER {total.error_rate:.3f}", language)
    return report(
        [_gold_example(each, sides) for each in forced],
        path=path,
        title=words["alignments"],
        facts=facts,
        language=language,
        redact=redact or None,
    )


def _gold_example(forced: Forced, sides: Sequence[Any]) -> Example:
    source, target = (
        [*side.pieces(spelled.ids), "</s>"]
        for side, spelled in zip(sides, (forced.source, forced.target), strict=True)
    )
    return Example(
        source=" ".join(forced.pair.source),
        output=" ".join(forced.pair.target),
        scores={"AER": forced.judged("output").error_rate},
        attention=AttentionRecord(
            weights=forced.weights, query_tokens=target, key_tokens=source
        ),
        gold=forced.pair,
    )


def _words(language: str) -> Mapping[str, str]:
    check_language(language)
    return _WORDS[language]


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
