"""`regard explain`: how a trained run came to one word of a translation."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from regard.cli._cards import terminal
from regard.cli._language import Language
from regard.cli._options import Backend, as_typed
from regard.cli._runs import Beam, Run, load_translator

WIDEST = 100  # columns of a line of numbers


def command(  # noqa: PLR0913 - a command line's options
    run: Run,
    text: Annotated[str, typer.Argument(help="What to translate.")],
    word: Annotated[
        int, typer.Option(help="Which word of the translation, from 1.")
    ] = 1,
    head: Annotated[int, typer.Option(help="Which head, from 0.")] = 0,
    layer: Annotated[
        str | None, typer.Option(help="Which layer, if not the one that aligns.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the interactive page into this file.")
    ] = None,
    language: Language = "en",
    beam: Beam = 5,
    backend: Backend = None,
) -> None:
    """Explain step by step what was looked at for one word."""
    translator = load_translator(run)

    from regard.apps.translate.explained import traced
    from regard.reports.explained import explain_page
    from regard.seeing.steps import explain

    with as_typed(layers="--layer", word="--word"):
        found = traced(translator, text, beam, layer)
        query = found.piece_of(word)
    shown: dict[str, Any] = {
        "query": query,
        "language": language,
        "query_tokens": _shown(found.translation.pieces),
        "key_tokens": _shown(found.translation.source_pieces),
    }
    print(found.translation.text)
    print()
    if page is not None:
        print(explain_page(found.trace, path=page, **shown))
        return
    with as_typed(head="--head"):
        steps = explain(found.trace, head=head, **shown)
    print(wrapped(str(steps), terminal(WIDEST).width))
    if not steps.passed:
        raise typer.Exit(1)


def wrapped(text: str, columns: int) -> str:
    """The lines of a text in so many columns; their ends stand a little further in."""
    lines = []
    for line in text.splitlines():
        further = " " * (len(line) - len(line.lstrip()) + 2)
        lines += textwrap.wrap(
            line,
            columns,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)


def _shown(pieces: list[str]) -> list[str]:
    """Pieces without the tokenizer's marks; one within a word begins with a hyphen."""
    from regard.reports.tokens import show_tokens

    return [("-" if each.joins else "") + each.text for each in show_tokens(pieces)]
