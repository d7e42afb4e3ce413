"""`regard list`: every mechanism, a line each."""

from __future__ import annotations

from typing import Annotated

import typer

from regard.cards import GROUPS, cards
from regard.cli._cards import WORDS, authors, put, terminal
from regard.cli._language import Language

_PAGE, _SOURCE = 80, 18  # columns: of a line, and of author and year at its end
_WIDEST = 100  # no title is cut in a terminal so wide


def command(
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="GROUP", help=f"One of {', '.join(GROUPS)}."),
    ] = None,
    language: Language = "en",
) -> None:
    """List the mechanisms, by group."""
    from rich.text import Text

    console, before = terminal(_WIDEST), None
    shown = cards(group)
    wide = 1 + max(len(card.name) for card in shown)
    longest = 1 + max(len(card.text(language).title) for card in shown)
    room = min(longest, max(console.width, _PAGE) - _SOURCE - 2 - wide)
    for card in shown:
        if card.group != before:
            put(console)
            put(console, GROUPS[card.group][language], style="bold")
            before = card.group
        line = Text("  ").append(card.name.ljust(wide), style="cyan")
        line.append(fitted(card.text(language).title, room))
        if card.papers:
            first = card.papers[0]
            line.append(f"{authors(first, language, most=1).split()[0]} {first.year}")
        line.rstrip()
        put(console, line)
    put(console)
    put(console, WORDS[language]["more"], style="dim")


def fitted(title: str, columns: int) -> str:
    """A title and a space behind it, in so many columns."""
    if len(title) >= columns:
        title = title[: columns - 2].rstrip() + "…"
    return title.ljust(columns)
