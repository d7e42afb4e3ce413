"""Word alignments made by people, as two common kinds of table hold them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regard.seeing.alignment import AlignmentCounts, Link, count_links

__all__ = ["GoldPair", "read_gold_alignments"]

_LINK = re.compile(r"(\d+)(-|p)(\d+)")


@dataclass(frozen=True)
class GoldPair:
    """A sentence pair, split into words, with its sure and possible links.

    ``scored`` holds the source words that were annotated; ``None`` means all. Links
    from other source words are neither right nor wrong.
    """

    name: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: frozenset[Link]
    possible: frozenset[Link] = frozenset()
    scored: frozenset[int] | None = None

    def transposed(self) -> GoldPair:
        """The same pair in the other direction.

        Raises:
            ValueError: only some source words were annotated, so that nothing is known
                of the words on the other side.
        """
        if self.scored is not None:
            raise ValueError(
                "a pair with annotated source words only cannot be transposed. "
                f"Got {self.name!r}; use the table of the other direction."
            )
        turned = [
            frozenset((target, source) for source, target in links)
            for links in (self.sure, self.possible)
        ]
        return GoldPair(self.name, self.target, self.source, turned[0], turned[1])

    def count(self, predicted: Iterable[Link]) -> AlignmentCounts:
        """Compare predicted links with these, on the annotated source words."""

        def kept(links: Iterable[Link]) -> set[Link]:
            return {
                link for link in links if self.scored is None or link[0] in self.scored
            }

        return count_links(kept(predicted), kept(self.sure), kept(self.possible))


def read_gold_alignments(
    path: str | Path, *, transposed: bool = False
) -> list[GoldPair]:
    """Read a tab-separated table: id, source words, target words, links.

    Words stand between spaces and are counted from 0. A link is ``source-target``
    (sure) or ``sourceptarget`` (possible). A header row is recognised by the words
    of its columns; a column ``src_content_idx`` or a fifth column lists the source
    words that were annotated.

    Raises:
        ValueError: a line that is no such row, a link to a word that is not there.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        pairs = list(_read_rows(rows, str(path)))
    return [pair.transposed() for pair in pairs] if transposed else pairs


def _read_rows(rows: Iterable[list[str]], path: str) -> Iterator[GoldPair]:
    for number, row in enumerate(rows, start=1):
        if not any(row) or (number == 1 and _is_header(row)):
            continue
        if len(row) < 4:
            raise ValueError(
                f"{path}, line {number}: a row must have id, source words, target "
                f"words and links, separated by tabs. Got {len(row)} columns."
            )
        yield _read_pair(row, f"{path}, line {number}")


def _is_header(row: list[str]) -> bool:
    return len(row) > 3 and row[3].strip().lower() in ("links", "alignment")


def _read_pair(row: list[str], place: str) -> GoldPair:
    source, target = tuple(row[1].split()), tuple(row[2].split())
    links: dict[str, set[Link]] = {"-": set(), "p": set()}
    for text in row[3].split():
        found = _LINK.fullmatch(text)
        if not found:
            raise ValueError(
                f"{place}: a link must look like 3-4 or 3p4. Got {text!r}."
            )
        link = int(found[1]), int(found[3])
        if link[0] >= len(source) or link[1] >= len(target):
            raise ValueError(
                f"{place}: a link must join words that are there, {len(source)} and "
                f"{len(target)} of them counted from 0. Got {text!r}."
            )
        links[found[2]].add(link)
    scored = frozenset(map(int, row[4].split())) if len(row) > 4 else None
    return GoldPair(
        row[0], source, target, frozenset(links["-"]), frozenset(links["p"]), scored
    )
