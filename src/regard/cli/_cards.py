"""How cards look in a terminal: words around them, wrapping, styles."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from regard.cards import Paper

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDEST = 80  # longer lines are hard to read
EQUATION = 6  # columns before an equation
LABEL = 12  # columns of the label beside a paragraph

Name = Annotated[
    str, typer.Argument(help="Of the mechanism, as in `regard list`.", metavar="NAME")
]

WORDS = {
    "en": {
        "use": "Take it",
        "avoid": "Leave it",
        "equals": "Equals",
        "time": "Time",
        "memory": "Memory",
        "hyperparameters": "Original",
        "paper": "Paper",
        "further": "See also",
        "origin": "Origin",
        "others": "et al.",
        "more": "regard show NAME explains one, regard cite NAME prints its BibTeX.",
    },
    "ru": {
        "use": "Брать",
        "avoid": "Не брать",
        "equals": "Равно",
        "time": "Время",
        "memory": "Память",
        "hyperparameters": "В статье",
        "paper": "Статья",
        "further": "См. также",
        "origin": "Источник",
        "others": "и др.",
        "more": "regard show NAME --lang ru — об одном, regard cite NAME — BibTeX.",
    },
}

_CODE = re.compile(r"`([^`]+)`")


def terminal(widest: int = WIDEST) -> Console:
    """The console on standard output, no wider than a page."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(console.width, widest)
    return console


def paragraph(
    console: Console, text: str, label: str = "", bullet: str = "", indent: int = 2
) -> Text:
    """A wrapped text with its label at the left; what is code is set apart."""
    from rich.text import Text

    indent = LABEL if label or bullet else indent
    first = label.ljust(indent - len(bullet)) + bullet
    body = textwrap.fill(
        text,
        max(console.width, indent + 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )[indent:]
    shown = Text(first, style="bold")
    shown.append_text(Text(style="not bold").append_text(_marked(console, body)))
    return shown


def equation_lines(console: Console, equation: str) -> list[str]:
    """The lines of an equation; one too wide for the page breaks at its commas."""
    lines = []
    for line in equation.split("\n"):
        fits = len(line) + EQUATION <= console.width
        lines += [line] if fits else line.replace(",   ", ",\n").split("\n")
    return [" " * EQUATION + line for line in lines]


def put(console: Console, text: Text | str = "", style: str = "") -> None:
    """Print lines that are wrapped already."""
    console.print(text, style=style, soft_wrap=True, markup=False)


def reference(paper: Paper, language: str) -> str:
    """Authors, title, place and number of a paper on one line."""
    parts = [f"{authors(paper, language)} ({paper.year})", paper.title.rstrip(".")]
    parts += [part for part in (paper.venue or paper.journal,) if part]
    if paper.arxiv:
        parts.append(f"arXiv:{paper.arxiv}")
    else:
        parts += [part for part in (paper.address,) if part]
    if paper.section:
        parts.append(f"§\u00a0{paper.section}")
    return ". ".join(parts)


def authors(paper: Paper, language: str, most: int = 3) -> str:
    """Family names, the first one alone where there are many."""
    families = [each.partition(",")[0].strip("{}") for each in paper.authors]
    if len(families) > most or "others" in families:
        return f"{families[0]} {WORDS[language]['others']}"
    return ", ".join(families)


def _marked(console: Console, text: str) -> Text:
    """Code in colour, or between backticks where there is no colour."""
    from rich.text import Text

    if not console.color_system or console.no_color:
        return Text(text)
    shown, end = Text(), 0
    for found in _CODE.finditer(text):
        shown.append(text[end : found.start()])
        shown.append(found[1], style="cyan")
        end = found.end()
    return shown.append(text[end:])
