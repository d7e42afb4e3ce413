"""Word alignments, one line for each sentence pair: ``0-0 1-2 2?3``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from regard.seeing.alignment import Link
from regard.seeing.gold_alignments import GoldPair, read_gold_alignments

__all__ = ["read_gold", "read_pharaoh"]

_LINK = re.compile(r"(\d+)([-p?])(\d+)")

#: Sure and possible links of one pair.
Links = tuple[frozenset[Link], frozenset[Link]]


def read_pharaoh(path: str | Path) -> list[Links]:
    """The links of each line: ``1-2`` sure, ``1p2`` or ``1?2`` possible, from 0.

    Raises:
        ValueError: something else on a line, or no text in UTF-8.
    """
    return [
        _read_line(line, f"{path}, line {number}")
        for number, line in enumerate(_text_of(path).splitlines(), start=1)
    ]


def read_gold(
    path: str | Path, pairs: Sequence[tuple[str, str]] | None = None
) -> list[GoldPair]:
    """Right links from a table that holds the words too, or for pairs that are given.

    A file with tabs is a table (``read_gold_alignments``), and needs no pairs. Else
    line n holds the links of pair n, whose words stand between spaces.

    Raises:
        ValueError: links without pairs, or of another number of pairs, or to a word
            that a pair does not have.
    """
    if "\t" in _text_of(path):
        return read_gold_alignments(path)
    if pairs is None:
        raise ValueError(f"{path} holds links alone, so pairs must be given too.")
    links = read_pharaoh(path)
    if len(links) != len(pairs):
        raise ValueError(
            f"{path} must have a line for each of the {len(pairs)} pairs. "
            f"Got {len(links)}."
        )
    return list(_joined(path, pairs, links))


def _text_of(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ValueError(
            f"{path} must be a file of links that can be read: {problem.strerror}."
        ) from None
    except UnicodeDecodeError as problem:
        raise ValueError(
            f"{path} must be text in UTF-8. Got a byte that is not: {problem}."
        ) from None


def _joined(
    path: str | Path, pairs: Sequence[tuple[str, str]], links: Sequence[Links]
) -> Iterator[GoldPair]:
    for number, ((source, target), (sure, possible)) in enumerate(
        zip(pairs, links, strict=True), start=1
    ):
        words = tuple(source.split()), tuple(target.split())
        for link in sorted(sure | possible):
            if link[0] >= len(words[0]) or link[1] >= len(words[1]):
                raise ValueError(
                    f"{path}, line {number}: a link must join words that are there, "
                    f"{len(words[0])} and {len(words[1])} of them counted from 0. "
                    f"Got {link[0]}-{link[1]}."
                )
        yield GoldPair(str(number), *words, sure, possible)


def _read_line(line: str, place: str) -> Links:
    links: tuple[set[Link], set[Link]] = set(), set()
    for text in line.split():
        found = _LINK.fullmatch(text)
        if not found:
            raise ValueError(
                f"{place}: a link must look like 3-4, 3p4 or 3?4. Got {text!r}."
            )
        links[found[2] != "-"].add((int(found[1]), int(found[3])))
    return frozenset(links[0]), frozenset(links[1])
