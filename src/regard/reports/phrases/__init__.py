"""Phrases of pages and diagnoses, in Russian and English side by side.

A file for each view; ``{x}`` in a phrase is filled in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from regard.cards import LANGUAGES, check_language

__all__ = ["LANGUAGES", "check_language", "phrases"]


@cache
def phrases(language: str, *names: str) -> dict[str, str]:
    """Key -> phrase in one language, of the files or folders of these names.

    Raises:
        ValueError: a language that is not spoken.
    """
    check_language(language)
    tables = (table for name in names for table in _tables(name))
    return {key: texts[language] for table in tables for key, texts in table.items()}


@cache
def _tables(name: str) -> tuple[dict[str, dict[str, str]], ...]:
    """A file or folder in both languages, read once for all pages."""
    texts = (file.read_text(encoding="utf-8") for file in _files(name))
    return tuple(map(tomllib.loads, texts))


def _files(name: str) -> Iterator[Traversable]:
    here = resources.files(__name__)
    folder = here.joinpath(name)
    if folder.is_dir():
        yield from sorted(folder.iterdir(), key=lambda file: file.name)
    else:
        yield here.joinpath(f"{name}.toml")
