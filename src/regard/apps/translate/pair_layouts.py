"""Which columns of a tab-separated file hold the sentences.

Three layouts are recognised from the file itself:

- `source TAB target TAB ...`: Anki decks of sentence pairs, plain parallel text;
- `number TAB source TAB number TAB target`: Tatoeba's own export of sentence pairs;
- Anki's note export, whose first lines (`#separator:tab`, `#html:true`,
  `#guid column:1` ...) say what the columns are.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

_ANKI_HEADER = re.compile(
    r"#(separator|html|columns|notetype|deck|tags|guid|if matches)\b[^:\t]*:"
)
_ANKI_COLUMN = re.compile(r"#(?:guid|notetype|deck|tags) column:(\d+)", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Layout:
    """How to find source and references in a line's columns.

    Attributes:
        skip: columns that hold no sentence.
        numbered: Tatoeba's export, where every sentence follows its number.
        markup: the fields are HTML, quoted where they hold a quotation mark.
        header: number of lines at the top that are not pairs.
    """

    skip: frozenset[int] = frozenset()
    numbered: bool = False
    markup: bool = False
    header: int = 0

    def fields(self, line: str) -> list[str]:
        """Return the sentences of a line: the source, then all references."""
        columns = line.split("\t")
        if self.numbered:
            return columns[1:4:2]
        columns = [text for at, text in enumerate(columns) if at not in self.skip]
        return [_plain(text) for text in columns] if self.markup else columns


def detect_layout(lines: Sequence[str]) -> Layout:
    """Recognise the layout from the first lines of a file."""
    header = 0
    while header < len(lines) and _ANKI_HEADER.match(lines[header].lower()):
        header += 1
    if header:
        return _anki_layout(lines[:header])
    rows = [line.split("\t") for line in lines if "\t" in line]
    numbered = bool(rows) and all(
        len(row) >= 4 and row[0].isdigit() and row[2].isdigit() for row in rows
    )
    return Layout(numbered=numbered)


def _anki_layout(header: Sequence[str]) -> Layout:
    for line in header:
        if line.lower().startswith("#separator:"):
            name = line.split(":", 1)[1].strip().lower()
            if name not in ("tab", "\\t", ""):
                raise ValueError(
                    f"the columns must be separated by tabs; this export says {name!r}."
                    " Export the notes as plain text with tabs."
                )
    matches = (_ANKI_COLUMN.match(line) for line in header)
    skip = frozenset(int(match[1]) - 1 for match in matches if match)
    markup = any(line.lower().replace(" ", "") == "#html:true" for line in header)
    return Layout(skip=skip, markup=markup, header=len(header))


def _plain(field: str) -> str:
    if len(field) >= 2 and field[0] == field[-1] == '"':
        field = field[1:-1].replace('""', '"')
    return html.unescape(_MARKUP.sub(" ", field))
