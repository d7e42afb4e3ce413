"""One HTML file that explains a trace step by step, and lets a reader change it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regard.reports.encoding import deflate, script_json
from regard.reports.explained.rows import packed, tokens_of_examples
from regard.reports.files import write_page
from regard.reports.phrases import LANGUAGES, check_language
from regard.reports.templates import built, filled, head, text_of
from regard.seeing.steps.explain import work_out
from regard.seeing.steps.html import steps_html
from regard.seeing.steps.traces import check_options, trace_of

_FOLDER = "explained"
_SCRIPTS = ("steps.js", "what_if.js")


def explain_page(
    trace_or_layer: Any,
    *inputs: Any,
    path: str | Path,
    query: int = 0,
    language: str = "en",
    query_tokens: Sequence[str] | Sequence[Sequence[str]] | None = None,
    key_tokens: Sequence[str] | Sequence[Sequence[str]] | None = None,
    **options: Any,
) -> Path:
    """Write the steps of every query and head as one offline page.

    The page shows what ``regard.explain`` says: sentence, formula, the same formula
    with the row's numbers, a bar for each entry, and whether what was recomputed agrees
    with the layer. Where the weights are a softmax it recomputes them for another
    temperature, without the scale, with keys hidden, or with the k of two keys
    exchanged, where a score comes of its key alone. Of long inputs it holds the 24
    queries around ``query``.

    Args:
        trace_or_layer: as in ``regard.explain``.
        *inputs: of the layer's call.
        path: of the file; its folder is made.
        query: where the page opens.
        language: "en" or "ru", in which it opens; it speaks both.
        query_tokens: what stands at the queries' places; one list, or one an example.
        key_tokens: likewise.
        **options: of the layer's call.

    Raises:
        ValueError, TypeError: as ``regard.explain`` does.
    """
    check_language(language)
    check_options(explain_page, trace_or_layer, options)
    trace = trace_of(trace_or_layer, inputs, options)
    worked = work_out(trace, trace_or_layer, query=query)
    tokens = tokens_of_examples((query_tokens, key_tokens), worked.trace, worked.sizes)
    titles = {each: worked.card.text(each).title for each in LANGUAGES}
    data = {"title": titles, **packed(worked, tokens)}
    title = html.escape(titles[language])
    page = filled(
        f"{_FOLDER}/page.html",
        {
            "head": head(language, title, f"{_FOLDER}/page.css"),
            "title": title,
            "noscript": steps_html(worked.told(tokens[0], language)),
            "data": deflate(script_json(data).encode()),
            "unpack": built("unpack.js"),
            "script": "\n".join(text_of(f"{_FOLDER}/{each}") for each in _SCRIPTS),
        },
    )
    return write_page(path, page)
