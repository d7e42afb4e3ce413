"""The report page: one HTML file that needs nothing but itself."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from regard.arguments import check_names
from regard.cards.typography import numeral
from regard.reports.diagnosis.result import ModelDiagnosis
from regard.reports.encoding import CODINGS, deflate, script_json
from regard.reports.evidence import draw_evidence
from regard.reports.example import Example
from regard.reports.fallback import draw_fallback
from regard.reports.files import write_page
from regard.reports.kept import draw_kept
from regard.reports.package import Package, pack_examples
from regard.reports.page_facts import in_languages
from regard.reports.phrases import LANGUAGES, check_language, phrases
from regard.reports.templates import built, filled, head
from regard.reports.tokens import visible
from regard.reports.views import phrases_of, program_of, views_of
from regard.seeing.milestones import SHARPENED

__all__ = ["render_report", "write_report"]

#: Beyond this many bytes of data a report leaves examples out.
SIZE_LIMIT = 10_000_000


def write_report(examples: Iterable[Example], path: str | Path, **page: Any) -> Path:
    """Write the examples with their attention maps as one offline HTML file.

    ``page`` is what `render_report` takes. The file contains the texts themselves.
    Folders on the way are made, and an existing file is replaced only once the new one
    is complete.

    Raises:
        ValueError: a language that the page does not speak.
        TypeError: a parameter that there is not.
    """
    check_names(write_report, page, render_report)
    return write_page(path, render_report(examples, **page))


def render_report(
    examples: Iterable[Example],
    /,
    *,
    title: str | None = None,
    facts: Mapping[str, object] | None = None,
    language: str = "en",
    names: tuple[str, str] = ("A", "B"),
    evidence: ModelDiagnosis | None = None,
    embed_audio: bool = False,
) -> str:
    """The text of the page that `write_report` writes.

    ``facts`` (name -> value: the model, its score, the task) stand in the header; in
    the language on view where they are ``{"en": {...}, "ru": {...}}``.
    ``language``, ``"en"`` or ``"ru"``, is the one the page opens in; it speaks both.
    ``names`` are those of the two models where examples have maps of a second one.
    ``evidence``: what ``regard.diagnose`` answered, whether the weights explain.
    ``embed_audio``: whether the sound of a ``Timeline`` is put into the page, which
    plays it and says how large it is (32 kB for a second of 16,000 samples).
    """
    check_language(language)
    examples = list(examples)
    words = phrases(language, "pages", "report", "without_script")
    package = pack_examples(examples, SIZE_LIMIT, embed_audio)
    shown = examples[: len(package.blobs)]
    views = views_of(package.entries)
    title = _escape(title or words["report"])
    return filled(
        "assets/page.html",
        {
            "head": head(language, title, "built/page.css"),
            "title": title,
            "facts": _facts(facts or {}, language),
            "evidence": draw_evidence(evidence),
            "noscript": draw_fallback(shown, words, language),
            "caution": _escape(words["caution"]),
            "contains": _escape(words["contains"]),
            "old_browser": _escape(words["old_browser"]),
            "kept": draw_kept(package),
            "phrases": _spoken_by_script(views),
            "data": script_json(
                _data(package, language) | {"names": [visible(x, " ") for x in names]}
            ),
            "blobs": "\n".join(
                f'<script type="text/plain" id="w{name}">{blob}</script>'
                for name, blob in package.named_blobs()
            ),
            "style": deflate(built("views.css").encode()),
            "unpack": built("unpack.js"),
            "script": deflate(program_of(views).encode()),
        },
    )


def _data(package: Package, language: str) -> dict[str, object]:
    return {
        "language": language,
        "languages": LANGUAGES,
        "codings": {name: coding.levels for name, (coding, _) in CODINGS.items()},
        "error": package.coding.error,
        "leftOut": package.left_out,
        "bands": package.bands,
        "sharpened": SHARPENED,
        "sorts": sorted({name for each in package.entries for name in each["scores"]}),
        "examples": package.entries,
    }


@cache
def _spoken_by_script(views: tuple[str, ...]) -> str:
    """The phrases of these views in every language."""
    files = phrases_of(views)
    spoken = {language: phrases(language, *files) for language in LANGUAGES}
    return deflate(script_json(spoken).encode())


def _facts(facts: Mapping[str, Any], language: str) -> str:
    if not in_languages(facts):
        return _list_of_facts(facts, language)
    return "\n".join(
        _list_of_facts(facts[each], each, f' data-lang="{each}" lang="{each}"')
        for each in LANGUAGES
    )


def _list_of_facts(
    facts: Mapping[str, object], language: str, attributes: str = ""
) -> str:
    if not facts:
        return ""
    told = {name: _plain(value, language) for name, value in facts.items()}
    lines = [
        f"<div><dt>{_escape(name)}</dt><dd>{_escape(value)}</dd></div>"
        for name, value in told.items()
    ]
    return f'<dl class="facts"{attributes}>' + "\n".join(lines) + "</dl>"


def _plain(value: object, language: str) -> str:
    number = isinstance(value, float)
    return numeral(f"{value:.4g}", language) if number else str(value)


def _escape(text: object) -> str:
    return html.escape(visible(str(text), keep=" "))
