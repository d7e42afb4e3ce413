"""`regard show NAME`: the card of one mechanism."""

from __future__ import annotations

from regard.cards import GROUPS, card
from regard.cards.equations import unicode_equation
from regard.cli._cards import (
    EQUATION,
    WORDS,
    Name,
    equation_lines,
    paragraph,
    put,
    reference,
    terminal,
)
from regard.cli._language import Language


def command(name: Name, language: Language = "en") -> None:
    """Explain a mechanism: equation, use, cost, paper."""
    from rich.text import Text

    found = card(name)
    words, text, console = WORDS[language], found.text(language), terminal()

    put(console)
    head = Text("  ").append(text.title, style="bold")
    put(console, head.append(f"  {GROUPS[found.group][language]}", style="dim"))
    put(console, f"  {found.path}", style="cyan")
    put(console)
    put(console, paragraph(console, text.sentence))
    put(console)
    for line in equation_lines(console, unicode_equation(found.equation)):
        put(console, line, style="bold green")
    put(console, paragraph(console, text.symbols, indent=EQUATION), style="dim")
    put(console)
    put(console, paragraph(console, text.paragraph))
    put(console)
    for entry in ("use", "avoid"):
        put(console, paragraph(console, getattr(text, entry), f"  {words[entry]}"))
    put(console)
    for place, each in enumerate(text.equals):
        label = f"  {words['equals']}" if place == 0 else ""
        put(console, paragraph(console, each, label, bullet="= "))
    put(console)
    for entry in ("time", "memory"):
        put(console, paragraph(console, getattr(text, entry), f"  {words[entry]}"))
    settings = ", ".join(f"{k} = {v}" for k, v in found.hyperparameters.items())
    if settings:
        label = f"  {words['hyperparameters']}"
        put(console, paragraph(console, settings, label))
    put(console)
    if text.origin:
        put(console, paragraph(console, text.origin, f"  {words['origin']}"))
    for place, paper in enumerate(found.papers):
        label = f"  {words['further' if place else 'paper']}" if place < 2 else ""
        shown = paragraph(console, reference(paper, language), label, bullet="")
        put(console, shown)
    put(console)
    for place, line in enumerate(found.equation.split("\n")):
        put(console, f"  {'LaTeX'.ljust(10) if place == 0 else ' ' * 10}{line}", "dim")
    put(console)
