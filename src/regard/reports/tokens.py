"""How a token is shown: nothing in it invisible, nothing in it too long."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from regard.seeing.pieces import is_special, without_mark, word_starts

__all__ = ["ShownToken", "direction", "shorten", "show_tokens", "visible"]

_NAMED = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_JOINERS = "\u200c\u200d"  # needed inside Persian and Indic words and emoji
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


class ShownToken(NamedTuple):
    """A token for the eye; ``joins`` says that it continues the word before."""

    text: str
    joins: bool = False
    special: bool = False


def visible(text: str, keep: str = "") -> str:
    """The text with everything that cannot be seen written out.

    A space becomes ``␣``, a newline ``⏎``; control characters, bidirectional
    controls, zero-width characters, lone surrogates and unassigned code points
    become ``U+202E``. A mark without a letter stands on a dotted circle. The
    characters in ``keep`` stay as they are.
    """
    shown = []
    for index, character in enumerate(text):
        around = text[index - 1 : index] + text[index + 1 : index + 2]
        if character in keep:
            shown.append(character)
        elif character in _NAMED:
            shown.append(_NAMED[character])
        elif character in _JOINERS and _joins(around):
            shown.append(character)
        elif unicodedata.category(character) in _HIDDEN:
            shown.append(f"U+{ord(character):04X}")
        elif index == 0 and unicodedata.category(character)[0] == "M":
            shown.append("◌" + character)
        else:
            shown.append(character)
    return "".join(shown)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, the rest counted: ``abc… (+997)``."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (+{len(text) - limit})"


def show_tokens(tokens: Sequence[str], limit: int = 200) -> list[ShownToken]:
    """Every token as it is drawn: word marks gone, invisible characters written."""
    starts = word_starts(tokens)
    marked = not all(starts)
    shown = []
    for token, begins in zip(tokens, starts, strict=True):
        text = without_mark(token) if marked or token.startswith("▁") else token
        text = shorten(visible(text), limit) or "∅"
        joins = not begins and any(map(str.isalnum, text))
        shown.append(ShownToken(text, joins, is_special(token)))
    return shown


def _joins(around: str) -> bool:
    kinds = {unicodedata.category(character)[0] for character in around}
    return len(around) == 2 and kinds <= {"L", "M", "S"}


def direction(tokens: Sequence[str], language: str = "") -> str:
    """``"rtl"`` or ``"ltr"``: from the language, else from most of the tokens."""
    if language:
        return "rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
    strong = [found for found in map(_first_strong, tokens) if found]
    rightward = sum(found in ("R", "AL") for found in strong)
    return "rtl" if rightward * 2 > len(strong) else "ltr"


def _first_strong(token: str) -> str:
    kinds = map(unicodedata.bidirectional, token)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "")
