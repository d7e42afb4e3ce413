"""A diagnosis, and how it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from textwrap import wrap

from rich.cells import cell_len

from regard.cards.typography import numeral
from regard.reports.phrases import phrases
from regard.seeing.metrics.intervals import Interval
from regard.seeing.metrics.overview import Head
from regard.seeing.metrics.questions import NOT_TESTED, Evidence

__all__ = ["ModelDiagnosis", "caveats", "evidence_lines", "told_numbers"]

_WIDTH = 80
_INDENT = "    "


@dataclass(frozen=True)
class ModelDiagnosis:
    """What ``regard.diagnose`` found; ``str()`` is its text in ``language``.

    - ``count``: how many examples were read.
    - ``heads``: every head of every layer, a ``regard.metrics.Head``.
    - ``evidence``: four answers, ``regard.metrics.Evidence``; none without labels.
    - ``layer``: which layer the four questions were put to.
    """

    count: int
    heads: tuple[Head, ...]
    evidence: tuple[Evidence, ...] = ()
    layer: str = ""
    language: str = "en"

    def __str__(self) -> str:
        words = phrases(self.language, "diagnosis")
        parts = ["\n".join(_filled(words["title"].format(n=self.count)))]
        for layer, heads in groupby(self.heads, lambda head: head.layer):
            parts.append("\n".join(_layer_lines(layer, list(heads), self.language)))
        if self.evidence:
            lines = evidence_lines(self.evidence, self.layer, self.language)
            parts.append("\n".join(lines))
        else:
            parts.append("\n".join(_filled(words["no_labels"])))
        parts.append("\n".join(_filled(phrases(self.language, "pages")["caution"])))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)


def evidence_lines(
    evidence: Sequence[Evidence], layer: str, language: str
) -> Iterator[str]:
    """Each question, its answer, number, interval and baseline; then the caveats."""
    words = phrases(language, "diagnosis")
    yield from _filled(words["evidence"].format(layer=layer))
    for each in evidence:
        yield ""
        yield f"  [{words[each.verdict]}] {words[each.question]}"
        yield from _filled(told_numbers(each, language), _INDENT)
    yield ""
    for name in caveats(evidence):
        yield from _filled(words[name])


def caveats(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Which phrases belong below the answers, in this order."""
    only_evaluated = any("accuracy_uniform" in each.beside for each in evidence)
    uniform = ("uniform_caveat",) if only_evaluated else ()
    return ("rule", "hidden_caveat", *uniform, "apart_caveat")


def told_numbers(each: Evidence, language: str) -> str:
    """The number of an answer, its interval, its baseline, what stands beside it."""
    words, parts = phrases(language, "diagnosis"), []
    if each.interval is not None:
        name = words[f"{each.question}_number"]
        parts.append(f"{name} {_interval(each.interval, language)}")
    if each.baseline is not None:
        name = words[f"{each.question}_baseline"]
        parts.append(f"{name} {_number(each.baseline, language)}")
    parts += [
        f"{words[name]} {_number(value, language)}"
        for name, value in each.beside.items()
    ]
    if each.verdict == NOT_TESTED:
        parts.append(words[each.reason])
    return "; ".join(parts) + "."


def _layer_lines(layer: str, heads: Sequence[Head], language: str) -> Iterator[str]:
    words, said = phrases(language, "diagnosis"), phrases(language, "patterns")
    rows = [
        (
            str(head.head),
            _interval(head.effective, language, 1),
            _number(head.visible, language, 1),
            "–" if away is None else _interval(away, language, 1),
            "–" if uniform is None else _number(uniform, language, 1),
            ", ".join(said[word] for word in head.words) or "–",
        )
        for head, away, uniform in (
            (each, each.distance, each.uniform_distance) for each in heads
        )
    ]
    titles = ("head", "effective", "of_visible", "distance", "of_uniform", "remarkable")
    table = [tuple(words[title] for title in titles), *rows]
    widths = [
        max(cell_len(row[place]) for row in table) for place in range(len(titles))
    ]
    counted = {head.effective.n for head in heads}
    yield f"{layer}  ({', '.join(f'n = {n}' for n in sorted(counted))})"
    for row in table:
        cells = (
            cell + " " * (width - cell_len(cell))
            for cell, width in zip(row, widths, strict=True)
        )
        yield f"  {'  '.join(cells)}".rstrip()


def _interval(interval: Interval, language: str, digits: int = 3) -> str:
    if isnan(interval.mean):
        return "–"
    numbers = (interval.mean, interval.low, interval.high)
    mean, low, high = (_number(number, language, digits) for number in numbers)
    count = f", n = {interval.n}" if digits == 3 else ""
    return f"{mean} [{low}; {high}]{count}"


def _number(value: float, language: str, digits: int = 3) -> str:
    """Decimals or, where they would hide what there is, a power of ten; – for NaN."""
    if isnan(value):
        return "–"
    plain = f"{value:.{digits}f}"
    text = f"{value:.0e}" if value and not float(plain) else plain
    return numeral(text, language)


def _filled(text: str, indent: str = "") -> list[str]:
    return wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
