"""The four questions to attention as an explanation, as a part of the page."""

from __future__ import annotations

import html

from regard.reports.diagnosis.result import ModelDiagnosis, caveats, told_numbers
from regard.reports.phrases import LANGUAGES, phrases
from regard.reports.tokens import visible
from regard.seeing.metrics.questions import Evidence

__all__ = ["draw_evidence"]


def draw_evidence(found: ModelDiagnosis | None) -> str:
    """HTML in every language, of which the page shows its own; nothing for no answers.

    Each question with its verdict, number, interval and baseline; never one score.
    """
    if found is None or not found.evidence:
        return ""
    return "\n".join(_draw(found, language) for language in LANGUAGES)


def _draw(found: ModelDiagnosis, language: str) -> str:
    words = phrases(language, "diagnosis")
    title = words["evidence"].format(layer=visible(found.layer, keep=" "))
    below = " ".join(words[name] for name in caveats(found.evidence))
    rows = "\n".join(_draw_row(each, language) for each in found.evidence)
    return (
        f'<section data-lang="{language}" lang="{language}" '
        f'aria-labelledby="evidence-{language}">'
        f'<h2 id="evidence-{language}">{html.escape(title)}</h2>'
        f"\n<dl>{rows}</dl>\n"
        f'<p class="quiet">{html.escape(below)}</p></section>'
    )


def _draw_row(each: Evidence, language: str) -> str:
    words = phrases(language, "diagnosis")
    question = f"{words[each.question]} — {words[each.verdict]}"
    numbers = told_numbers(each, language)
    return f"<dt>{html.escape(question)}</dt><dd>{html.escape(numbers)}</dd>"
