"""What the page says without scripts: the texts and the strongest links."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from regard.cards.typography import numeral
from regard.reports.example import Example
from regard.reports.record import AttentionRecord
from regard.reports.tokens import ShownToken, direction, shorten, show_tokens, visible

__all__ = ["draw_fallback"]

_MOST_EXAMPLES = 20
_MOST_ROWS = 100
_LINKS = 3
_FAINTEST = 0.005  # what would round to 0.00
_LONGEST = 400
_SHORT = 32  # rows and columns of a picture
_CELL = 12  # its pixels for each of them


def draw_fallback(
    examples: Sequence[Example], words: Mapping[str, str], language: str
) -> str:
    """HTML for ``<noscript>``: the first examples, three inputs for each output."""
    shown = examples[:_MOST_EXAMPLES]
    count = words["no_script_more"].format(n=len(shown), total=len(examples))
    parts = [f"<p>{html.escape(words['no_script'])} {html.escape(count)}</p>"]
    parts += [_draw_example(example, words, language) for example in shown]
    return "\n".join(parts)


def _draw_example(example: Example, words: Mapping[str, str], language: str) -> str:
    texts = [("source", example.source), ("output", example.output)]
    texts += [("reference", each) for each in example.references]
    lines = [
        f"<dt>{html.escape(words[name])}</dt><dd dir='auto'>{_escape(text)}</dd>"
        for name, text in texts
        if text
    ]
    tables = [
        _draw_picture(record) + _draw_links(record, words, language)
        for record in example.records()[:1]
    ]
    return f"<dl>{''.join(lines)}</dl>{''.join(tables)}"


def _draw_links(
    record: AttentionRecord, words: Mapping[str, str], language: str
) -> str:
    queries = show_tokens(record.query_tokens[:_MOST_ROWS], 60)
    keys = show_tokens(record.key_tokens, 60)
    between = "; " if language == "ru" else ", "
    rows = []
    for at, query in enumerate(queries):
        best = _strongest(record, at)
        shown = [(keys[key], weight) for key, weight in best if weight >= _FAINTEST]
        links = between.join(
            f"{_token(key)} {numeral(f'{weight:.2f}', language)}"
            for key, weight in shown
        )
        rows.append(f"<tr><th scope='row'>{_token(query)}</th><td>{links}</td></tr>")
    heading = (
        f"<tr><th>{html.escape(words['output'])}</th>"
        f"<th>{html.escape(words['strongest'])}</th></tr>"
    )
    return f"<table>{heading}{''.join(rows)}</table>"


def _draw_picture(record: AttentionRecord) -> str:
    """The mean over heads of a short example, which mail and print can show."""
    if record.outline is not None or max(record.table.shape[1:]) > _SHORT:
        return ""
    weights = np.clip(np.nan_to_num(record.average()), 0, 1)
    if direction(record.key_tokens, record.key_language) == "rtl":
        weights = weights[:, ::-1]
    cells = "".join(
        f'<rect x="{column}" y="{row}" width="1" height="1" '
        f'fill-opacity="{weight**0.5:.2f}"/>'
        for (row, column), weight in np.ndenumerate(weights)
        if weight >= _FAINTEST
    )
    high, wide = weights.shape
    return (
        f'<svg viewBox="0 0 {wide} {high}" width="{_CELL * wide}" '
        f'height="{_CELL * high}" fill="#08519c" aria-hidden="true">'
        f'<rect width="{wide}" height="{high}" fill="#fff"/>{cells}</svg>'
    )


def _strongest(record: AttentionRecord, row: int) -> list[tuple[int, float]]:
    """The largest weights of a row, with their keys; of an outline, in head 0."""
    if record.outline is not None:
        keys = record.outline["top_keys"][0, row, :_LINKS]
        kept = zip(keys, record.outline["top_weights"][0, row], strict=False)
        return [(int(key), float(weight)) for key, weight in kept if weight > 0]
    seen = record.allowed()[:, row].any(axis=0)
    weights = np.where(seen, np.nan_to_num(record.average()[row]), 0.0)
    best = np.argsort(-weights)[:_LINKS]
    return [(int(key), float(weights[key])) for key in best if weights[key] > 0]


def _token(token: ShownToken) -> str:
    return f"<bdi>{'‑' if token.joins else ''}{html.escape(token.text)}</bdi>"


def _escape(text: str) -> str:
    return html.escape(shorten(visible(text, keep=" \n"), _LONGEST))
