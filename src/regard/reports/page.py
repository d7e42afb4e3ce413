"""The report page: one HTML file that needs nothing but itself."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from regard._version import __version__
from regard.reports.encoding import script_json
from regard.reports.fallback import draw_fallback
from regard.reports.package import Package, pack_examples
from regard.reports.phrases import LANGUAGES, check_language, phrases
from regard.reports.record import Example
from regard.reports.tokens import visible

__all__ = ["render_report", "write_report"]

_SCRIPTS = ("data", "colour", "list", "matrix", "canvas", "inspector", "main")
# Phrases that the page needs only where its script does not run.
_WITHOUT_SCRIPT = ("report", "no_script", "no_script_more", "strongest")
#: Beyond this many bytes of data a report leaves examples out.
SIZE_LIMIT = 10_000_000


def write_report(
    examples: Iterable[Example],
    path: str | Path,
    *,
    title: str | None = None,
    facts: Mapping[str, object] | None = None,
    language: str = "en",
) -> Path:
    """Write the examples with their attention maps as one offline HTML file.

    ``facts`` (name -> value: the model, its score, the task) stand in the header.
    ``language``, ``"en"`` or ``"ru"``, is the one the page opens in; it speaks both.
    The file contains the texts themselves. Folders on the way are made, and an
    existing file is replaced only once the new one is complete.

    Raises:
        ValueError: a language that the page does not speak.
    """
    path = Path(path)
    page = render_report(examples, title=title, facts=facts, language=language)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(page, encoding="utf-8", newline="\n")
    unfinished.replace(path)
    return path


def render_report(
    examples: Iterable[Example],
    *,
    title: str | None = None,
    facts: Mapping[str, object] | None = None,
    language: str = "en",
) -> str:
    """The text of the page that `write_report` writes."""
    check_language(language)
    examples = list(examples)
    words = phrases(language)
    package = pack_examples(examples, SIZE_LIMIT)
    shown = examples[: len(package.blobs)]
    return _fill(
        "page.html",
        {
            "language": language,
            "version": __version__,
            "title": _escape(title or words["report"]),
            "style": _style(),
            "facts": _facts(facts or {}),
            "noscript": draw_fallback(shown, words),
            "caution": _escape(words["caution"]),
            "contains": _escape(words["contains"]),
            "data": script_json(_data(package, language)),
            "blobs": "\n".join(
                f'<script type="text/plain" id="w{index}">{blob}</script>'
                for index, blob in enumerate(package.blobs)
            ),
            "script": _script(),
        },
    )


def _data(package: Package, language: str) -> dict[str, object]:
    return {
        "language": language,
        "phrases": {each: _spoken_by_script(each) for each in LANGUAGES},
        "codings": {package.coding.name: package.coding.levels, "f32": 0},
        "error": package.coding.error,
        "leftOut": package.left_out,
        "examples": package.entries,
    }


def _spoken_by_script(language: str) -> dict[str, str]:
    table = phrases(language).items()
    return {key: text for key, text in table if key not in _WITHOUT_SCRIPT}


def _facts(facts: Mapping[str, object]) -> str:
    if not facts:
        return ""
    lines = [
        f"<div><dt>{_escape(name)}</dt><dd>{_escape(_plain(value))}</dd></div>"
        for name, value in facts.items()
    ]
    return '<dl class="facts">' + "\n".join(lines) + "</dl>"


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _escape(text: object) -> str:
    return html.escape(visible(str(text), keep=" "))


def _fill(name: str, values: Mapping[str, str]) -> str:
    # One pass, so that a text which holds "{{data}}" stays a text.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _asset(name))


@cache
def _asset(name: str) -> str:
    folder = resources.files("regard.reports").joinpath("assets")
    return folder.joinpath(name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    parts = "\n".join(_squeeze(_asset(f"{name}.js")) for name in _SCRIPTS)
    return f'"use strict";(() => {{\n{parts}\n}})();'


@cache
def _style() -> str:
    lines = _squeeze(_asset("page.css")).replace("\n", " ")
    return re.sub(r"\s*([{};,])\s*|(?<=:) ", r"\1", lines)


def _squeeze(text: str) -> str:
    """Without indentation and whole-line comments: a third less to carry along."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
