"""Phrases in Russian and English, those of one output in one file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

__all__ = ["LANGUAGES", "check_language", "phrases"]

LANGUAGES = ("en", "ru")


@cache
def phrases(language: str, file: str = "phrases.toml") -> dict[str, str]:
    """Key -> phrase in one language, from a file beside this one.

    Raises:
        ValueError: a language that is not spoken.
    """
    check_language(language)
    path = resources.files("regard.reports").joinpath(file)
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: texts[language] for key, texts in table.items()}


def check_language(language: str) -> None:
    """Raise unless the language is spoken."""
    if language not in LANGUAGES:
        raise ValueError(
            f"language must be one of {', '.join(LANGUAGES)}. Got {language!r}."
        )
