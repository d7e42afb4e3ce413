"""The ways in which people write a date: CLDR's patterns in twelve languages.

A text must have one reading. Two-digit years and the American month-first slashes are
therefore left out, and what else could be read in two ways is found by writing every
day of a leap year in every way (`ambiguous_ways`).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from babel.dates import format_date

LOCALES = (
    "en_US", "en_GB", "ru_RU", "de_DE", "fr_FR", "es_ES",
    "it_IT", "pt_BR", "uk_UA", "pl_PL", "nl_NL", "sv_SE",
)  # fmt: skip

# Patterns in the notation of CLDR (UTS 35); the first three are the locale's own.
FORMATS = (
    "full",
    "long",
    "medium",
    "d MMMM yyyy",
    "d MMM yyyy",
    "d MMMM, yyyy",
    "EEEE, d MMMM yyyy",
    "dd.MM.yyyy",
    "dd/MM/yyyy",
    "dd-MM-yyyy",
    "yyyy.MM.dd",
    "MMM d, yyyy",
)

# Where the pattern is not used, or would be read the other way round.
_NOT_IN = {
    "dd/MM/yyyy": {"en_US"},
    "dd-MM-yyyy": {"en_US"},
    "MMM d, yyyy": set(LOCALES) - {"en_US", "en_GB"},
}


class Way(NamedTuple):
    """One way to write a date."""

    locale: str
    format: str


WAYS = tuple(
    Way(locale, format)
    for locale in LOCALES
    for format in FORMATS
    if locale not in _NOT_IN.get(format, ())
)


def write_date(day: date, way: Way) -> str:
    """Return the day as `way` writes it, with plain spaces."""
    text = format_date(day, format=way.format, locale=way.locale)
    return " ".join(text.split())


@cache
def ambiguous_ways(ways: Iterable[Way] = WAYS) -> frozenset[tuple[Way, int, int]]:
    """Return (way, month, day) wherever the text has more than one reading.

    The year always has four digits, so one leap year stands for all years.
    """
    readings = defaultdict(set)
    written = []
    first = date(2024, 1, 1)
    for day in (first + timedelta(days=n) for n in range(366)):
        for way in ways:
            text = write_date(day, way).casefold()
            readings[text].add(day)
            written.append((text, way, day))
    return frozenset(
        (way, day.month, day.day)
        for text, way, day in written
        if len(readings[text]) > 1
    )
