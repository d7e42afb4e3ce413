"""What Russian typesetting asks for, so that the cards' files need not hold it."""

from __future__ import annotations

import re

SPACE = "\u00a0"  # a space at which no line breaks

_SHORT = (
    "а в и к о с у на не ни но по за из от до об во со ко же ли бы то при под над для"
)
_BEFORE = "|".join(sorted(_SHORT.split(), key=len, reverse=True))
# A short word stays with the next one, a dash with the word before, a number with its
# noun, particles with the word they belong to.
_RULES = (
    (re.compile(rf"(?i)(?<![\w-])({_BEFORE}) (?=\S)"), rf"\1{SPACE}"),
    (re.compile(r" (?=—)"), SPACE),
    (re.compile(r" (?=(?:же|ли|бы)\b)"), SPACE),
    (re.compile(r"(?<=\d) (?=[а-яё])"), SPACE),
    (re.compile(r"(?<=[^\s\w]) (?=[=≈≤≥<>→+−·] )|(?<=\w) (?=[=≈≤≥<>→+−·] )"), SPACE),
    (re.compile(r"(?<=[=≈≤≥<>→+−·]) (?=\S)"), SPACE),
)


def russian(text: str) -> str:
    """The text with no-break spaces where Russian rules want them."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def typeset(text: str, language: str) -> str:
    """The text of a file as one paragraph, with the spaces of its language."""
    flowing = " ".join(text.split())
    return russian(flowing) if language == "ru" else flowing


_ZERO = re.compile(r"\b0(?:\.0*)?e\+00")
_POWER = re.compile(r"e([-+])0*(\d+)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_LISTED = re.compile(r"(?<!\\), ")


def numeral(text: str, language: str) -> str:
    """A number as Python writes it, as a reader of the language does.

    >>> numeral("-3.9e-06", "ru"), numeral("0.5 [0.4; 0.6]", "ru")
    ('−3,9·10⁻⁶', '0,5 [0,4; 0,6]')
    """
    if language != "ru":
        return text
    text = _POINT.sub(",", _ZERO.sub("0", text))
    return _POWER.sub(_raised, text).replace("-", "−")


def _raised(found: re.Match[str]) -> str:
    if found[2] == "0":
        return ""
    sign = "-" if found[1] == "-" else ""
    return "·10" + f"{sign}{found[2]}".translate(_RAISED)


def formula_in(latex: str, language: str) -> str:
    """A formula with numbers as a reader of the language writes them.

    In Russian with a decimal comma; what is listed then stands between semicolons.
    """
    if language != "ru" or not _POINT.search(latex):
        return latex
    return _LISTED.sub("; ", _POINT.sub("{,}", latex))
