"""Sentence pairs from files, with every bad line accounted for."""

import hashlib
import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from regard.apps.translate.pair_layouts import Layout, detect_layout
from regard.apps.translate.pair_lines import Undecodable, read_lines

MAX_BAD_FRACTION = 0.01
_LINES_TO_LOOK_AT = 200
_NOT_UTF8 = "not UTF-8"
_SHOWN = 5
_END = object()

_Row = tuple[str, int, "list[str] | BadLine"]


@dataclass(frozen=True)
class Pair:
    """A sentence and its translations; the first one is the target."""

    source: str
    references: tuple[str, ...]

    @property
    def target(self) -> str:
        return self.references[0]


@dataclass(frozen=True)
class BadLine:
    """A line that was skipped; `reason` is general, `detail` is about this line."""

    file: str
    line: int
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.file}:{self.line}: {self.reason}{detail}"


@dataclass
class PairSet:
    """The pairs of one file, in its order, and the lines that were skipped."""

    name: str
    pairs: list[Pair] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        return [pair.source for pair in self.pairs]

    @property
    def targets(self) -> list[str]:
        return [pair.target for pair in self.pairs]

    def digest(self) -> str:
        """Return a short digest of all pairs in their order."""
        whole = hashlib.sha256()
        for pair in self.pairs:
            whole.update("\t".join([pair.source, *pair.references, "\n"]).encode())
        return whole.hexdigest()[:16]

    def report(self) -> str:
        """Return what was read and skipped: counts by reason, the first bad lines."""
        lines = [f"{self.name}: {len(self.pairs):,} pairs read"]
        if self.bad:
            counts = Counter(bad.reason for bad in self.bad)
            reasons = ", ".join(f"{n} x {why}" for why, n in counts.most_common())
            lines[0] += f", {len(self.bad):,} lines skipped: {reasons}"
            lines += [f"  {bad}" for bad in self.bad[:_SHOWN]]
            if len(self.bad) > _SHOWN:
                lines.append(f"  ... and {len(self.bad) - _SHOWN:,} more")
        return "\n".join(lines)


def read_pairs(
    path: str | Path,
    target_path: str | Path | None = None,
    references: int | None = 1,
    max_characters: int = 2000,
) -> PairSet:
    """Read pairs from a tab-separated file, or from two line-aligned files.

    Texts are brought to NFC with single spaces. A malformed, empty, too long or
    undecodable line is skipped and kept in `PairSet.bad`.

    Args:
        path: tab-separated pairs, or the sources when `target_path` is given.
        target_path: the targets, one for each line of `path`.
        references: how many columns after the first are translations; None: all.
        max_characters: the longest text that is taken.

    Raises:
        ValueError: no usable pair, more than 1 % bad lines, files of different
            lengths, an unreadable file, or an argument out of range.
    """
    if references is not None and references < 1:
        raise ValueError(
            f"references must be a positive number or 'all'. Got {references}."
        )
    if max_characters < 1:
        raise ValueError(f"max_characters must be positive. Got {max_characters}.")
    if target_path is None:
        result = PairSet(str(path))
        rows = _tab_rows(Path(path), references)
    else:
        result = PairSet(f"{path} + {target_path}")
        rows = _aligned_rows(Path(path), Path(target_path))
    last = 0
    for row in rows:
        last = row[1]
        _sort_in(row, result, max_characters)
    # Editors leave empty lines at the end of a file; they say nothing about it.
    while result.bad and _is_empty_end(result.bad[-1], last):
        result.bad.pop()
        last -= 1
    _check(result)
    return result


def _is_empty_end(bad: BadLine, last: int) -> bool:
    return bad.line == last and bad.reason == "empty line"


def _trouble(line: Undecodable) -> tuple[str, str]:
    """The general reason and the detail."""
    return (_NOT_UTF8 if line.startswith("byte") else "not one line of text"), line


def clean_text(text: str) -> str:
    """Return NFC text with single spaces and without control characters."""
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(
            " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text
        )
    return " ".join(text.split())


def _tab_rows(path: Path, references: int | None) -> Iterator[_Row]:
    lines = read_lines(path)
    start = list(itertools.islice(lines, _LINES_TO_LOOK_AT))
    try:
        layout = detect_layout([x for x in start if not isinstance(x, Undecodable)])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    everything = enumerate(itertools.chain(start, lines), 1)
    keep = None if references is None else references + 1
    for number, line in itertools.islice(everything, layout.header, None):
        yield str(path), number, _tab_fields(line, layout, keep, (str(path), number))


def _tab_fields(
    line: str, layout: Layout, keep: int | None, place: tuple[str, int]
) -> list[str] | BadLine:
    if isinstance(line, Undecodable):
        return BadLine(*place, *_trouble(line))
    if not line.strip():
        return BadLine(*place, "empty line")
    fields = layout.fields(line)[:keep]
    if len(fields) < 2:
        return BadLine(*place, "no tab between source and target")
    # Further references may be missing on some lines; the first may not.
    return fields[:2] + [text for text in fields[2:] if text.strip()]


def _aligned_rows(sources: Path, targets: Path) -> Iterator[_Row]:
    paired: Iterable[tuple] = itertools.zip_longest(
        read_lines(sources), read_lines(targets), fillvalue=_END
    )
    for number, (source, target) in enumerate(paired, 1):
        for path, text in ((sources, source), (targets, target)):
            if text is _END:
                raise ValueError(
                    f"{sources} and {targets} must have the same number of lines: "
                    f"{path} ends after line {number - 1}."
                )
        for path, text in ((sources, source), (targets, target)):
            if isinstance(text, Undecodable):
                bad = BadLine(str(path), number, *_trouble(text))
                yield str(path), number, bad
                break
        else:
            yield str(sources), number, [source, target]


def _sort_in(row: _Row, result: PairSet, max_characters: int) -> None:
    file, number, fields = row
    if isinstance(fields, BadLine):
        result.bad.append(fields)
        return
    texts = [clean_text(text) for text in fields]
    reason, detail = "", ""
    longest = max(len(text) for text in texts)
    if not texts[0] and not texts[1]:
        reason = "empty line"
    elif not texts[0] or not texts[1]:
        reason = "empty source" if not texts[0] else "empty target"
    elif longest > max_characters:
        reason = f"longer than {max_characters} characters"
        detail = f"{longest} characters"
    if reason:
        result.bad.append(BadLine(file, number, reason, detail))
    else:
        unique = dict.fromkeys(text for text in texts[1:] if text)
        result.pairs.append(Pair(texts[0], tuple(unique)))


def _mending(bad: list[BadLine]) -> str:
    if all(line.reason == _NOT_UTF8 for line in bad):
        return "save the file as UTF-8 (iconv -t UTF-8 -f CP1251, or what it is in)"
    return "mend the file, or see whether it is the right one"


def _check(result: PairSet) -> None:
    total = len(result.pairs) + len(result.bad)
    if not total:
        raise ValueError(f"{result.name}: the file is empty.")
    if len(result.bad) > MAX_BAD_FRACTION * total:
        share = 100 * len(result.bad) / total
        raise ValueError(
            f"{share:.1f} % of the lines are bad, more than "
            f"{100 * MAX_BAD_FRACTION:g} %: {_mending(result.bad)}.\n{result.report()}"
        )
