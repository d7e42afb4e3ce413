"""`regard cite NAME`: the papers of a mechanism as BibTeX."""

from __future__ import annotations

from regard.cards import card
from regard.cards.bibtex import bibtex
from regard.cli._cards import Name


def command(name: Name) -> None:
    """Print the BibTeX of a mechanism's papers."""
    print(bibtex(card(name)))
