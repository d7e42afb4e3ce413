"""`regard list`: every mechanism, a line each."""

from __future__ import annotations

from typing import Annotated

import typer

from regard.cards import GROUPS, cards, check_language
from regard.cli._cards import WORDS, Language, authors, put, terminal

_NAME, _TITLE = 18, 46  # columns


def command(
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="GROUP", help=f"One of {', '.join(GROUPS)}."),
    ] = None,
    lang: Language = "en",
) -> None:
    """List the mechanisms, by group."""
    from rich.text import Text

    language = check_language(lang)
    console, before = terminal(), None
    for card in cards(group):
        if card.group != before:
            put(console)
            put(console, GROUPS[card.group][language], style="bold")
            before = card.group
        line = Text("  ").append(card.name.ljust(_NAME), style="cyan")
        line.append(card.text(language).title.ljust(_TITLE))
        if card.papers:
            first = card.papers[0]
            line.append(f"{authors(first, language, most=1).split()[0]} {first.year}")
        line.rstrip()
        put(console, line)
    put(console)
    put(console, WORDS[language]["more"], style="dim")
