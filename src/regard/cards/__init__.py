"""The mechanisms' cards: what each one is, in data, in Russian and in English.

A card is a file ``<name>.toml`` of this folder. The command line, explanations and the
book read the same cards. This is the bottom of the package: no Keras here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from regard.cards.record import GROUPS, LANGUAGES, Card, Paper, StepEntry, Term, Text

__all__ = [
    "GROUPS",
    "LANGUAGES",
    "Card",
    "Paper",
    "StepEntry",
    "Term",
    "Text",
    "card",
    "cards",
    "check_language",
    "glossary",
    "names",
]

_GLOSSARY = "glossary"
_FOLDER = files(__name__)


@cache
def names() -> tuple[str, ...]:
    """The names of all cards, sorted."""
    found = (entry.name for entry in _FOLDER.iterdir())
    stems = (name.removesuffix(".toml") for name in found if name.endswith(".toml"))
    return tuple(sorted(stem for stem in stems if stem != _GLOSSARY))


@cache
def card(name: str) -> Card:
    """The card of a mechanism.

    Args:
        name: as in ``names()``; the name of its class will do too.

    Raises:
        ValueError: for an unknown name, with the closest ones.
    """
    if name in names():
        return Card.read(name, _read(name))
    for each in cards():
        if name in (each.path, each.path.rpartition(".")[2]):
            return each
    raise ValueError(
        f"name must be that of a mechanism. Got {name!r}. "
        f"{_closest(name, names())}`regard list` shows all."
    )


def cards(group: str | None = None) -> tuple[Card, ...]:
    """All cards, or those of one group; by group, then in the order of reading.

    Raises:
        ValueError: for an unknown group, with the closest ones.
    """
    if group is not None and group not in GROUPS:
        raise ValueError(
            f"group must be one of {', '.join(GROUPS)}. Got {group!r}. "
            f"{_closest(group, tuple(GROUPS))}".rstrip()
        )
    found = (card(name) for name in names())
    chosen = (each for each in found if group in (None, each.group))
    places = {name: place for place, name in enumerate(GROUPS)}
    return tuple(sorted(chosen, key=lambda c: (places[c.group], c.order, c.name)))


@cache
def glossary() -> tuple[Term, ...]:
    """The terms of the project, one word for each in either language."""
    return tuple(Term.read(entry) for entry in _read(_GLOSSARY)["term"])


def check_language(language: str) -> str:
    """Return the language, or raise saying which there are."""
    if language not in LANGUAGES:
        raise ValueError(
            f"language must be one of {', '.join(LANGUAGES)}. Got {language!r}."
        )
    return language


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _closest(word: str, known: tuple[str, ...]) -> str:
    plain = word.lower().replace("-", "_").replace(" ", "_")
    found = get_close_matches(plain, known, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(found)}? " if found else ""
