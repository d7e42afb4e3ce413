"""Steps that were computed, told in a language."""

from collections.abc import Mapping
from typing import Any

from regard.cards.typography import formula_in, numeral
from regard.seeing.steps.phrases import phrases
from regard.seeing.steps.step import Step
from regard.seeing.steps.working import Done


def told(done: Done, facts: Mapping[str, Any], language: str) -> Step:
    """One step in words; ``facts`` fill the braces of its sentence."""
    entry, value = done.scoped.entry, done.value
    title, sentence = entry.words[language]
    if "{share}" in sentence and facts["nothing"]:  # there is no largest
        sentence = phrases(language)["nothing read"]
    said = _said(done.scoped.settings, facts, language)
    return Step(
        entry.name,
        title,
        sentence.format(**said, **facts),
        formula_in(entry.formula, language),
        formula_in(done.numbers, language),
        _of(entry.each, facts, language) if done.each and value.dtype != bool else "",
        entry.gives,
        done.shapes,
        value,
        done.check,
        done.terms,
    )


def _said(
    settings: Mapping[str, Any], facts: Mapping[str, Any], language: str
) -> dict[str, Any]:
    """Settings as sentences name them: 2 for 2.0, in Russian 1,5 for 1.5."""
    return {
        name: numeral(f"{each:g}", language) if isinstance(each, float) else each
        for name, each in settings.items()
        if name not in facts
    }


def _of(kind: str, facts: Mapping[str, Any], language: str) -> str:
    """Which of a step's values is written out: the strongest key's, by its kind."""
    if kind == "key":
        return facts["key"]
    return phrases(language)[f"of {kind}"].format(name=facts["key_number"])
