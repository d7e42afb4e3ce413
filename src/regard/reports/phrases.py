"""The page's phrases in Russian and English, from one file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

__all__ = ["LANGUAGES", "check_language", "phrases"]

LANGUAGES = ("en", "ru")


@cache
def phrases(language: str) -> dict[str, str]:
    """Key -> phrase in one language.

    Raises:
        ValueError: a language that the page does not speak.
    """
    check_language(language)
    file = resources.files("regard.reports").joinpath("phrases.toml")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return {key: texts[language] for key, texts in table.items()}


def check_language(language: str) -> None:
    """Raise unless the page speaks the language."""
    if language not in LANGUAGES:
        raise ValueError(
            f"language must be one of {', '.join(LANGUAGES)}. Got {language!r}."
        )
