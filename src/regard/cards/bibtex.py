"""Papers as BibTeX."""

from __future__ import annotations

from regard.cards.record import Card, Paper

# What LaTeX would take for a command, and how it is written.
_SPECIAL = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_"}


def bibtex(card: Card) -> str:
    """The entries of a card's papers, the first one introducing the mechanism.

    Raises:
        ValueError: where no paper introduced the mechanism.
    """
    if not card.papers:
        raise ValueError(
            f"name must be that of a mechanism with a paper. Got {card.name!r}, which "
            f"has none. {card.text('en').origin}"
        )
    return "\n\n".join(map(entry, card.papers))


def entry(paper: Paper) -> str:
    """One entry: in proceedings or a journal, else a preprint or page."""
    fields = {
        "author": " and ".join(paper.authors),
        "title": f"{{{escaped(paper.title)}}}",
        "booktitle": escaped(paper.venue),
        "journal": escaped(paper.journal),
        "year": str(paper.year),
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv" if paper.arxiv else "",
        "doi": paper.doi,
        "url": paper.address,
        "note": f"Section {paper.section}" if paper.section else "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    kind = "inproceedings" if paper.venue else "article" if paper.journal else "misc"
    return "\n".join([f"@{kind}{{{paper.key},", *lines, "}"])


def escaped(text: str) -> str:
    """The text with LaTeX's special characters written out."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
