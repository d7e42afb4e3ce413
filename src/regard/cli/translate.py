"""`regard translate`: texts from arguments, a file or standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regard.cli._options import Backend
from regard.cli._runs import Beam, Run, load_translator

if TYPE_CHECKING:
    from regard.apps.translate.evaluation import Translation

_AT_ONCE = 64  # lines of a file or a pipe that are translated together


def command(
    run: Run,
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; without any, standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A text a line, plain or gzip.")
    ] = None,
    beam: Beam = 5,
    alignment: Annotated[
        bool, typer.Option("--alignment", help="Draw what was looked at.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each text.")
    ] = False,
    backend: Backend = None,
) -> None:
    """Translate texts with a trained run, one line for each."""
    if texts and file:
        raise ValueError("give texts or --file, not both.")
    translator = load_translator(run)

    from regard.apps.translate.report import record_of
    from regard.reports import print_alignment

    for batch in _batches(_given(texts, file)):
        translated = iter(translator.hypotheses([t for t in batch if t], beam=beam))
        for text in batch:
            if not text:
                print()  # an empty line stays one, so that lines correspond
                continue
            found = next(translated)
            print(_json(text, found) if as_json else found[0].text)
            if alignment and not as_json:
                print_alignment(record_of(found[0]))
                print()
        sys.stdout.flush()


def _given(texts: list[str] | None, file: Path | None) -> Iterator[str]:
    from regard.apps.translate.pair_lines import Undecodable, decode_line, read_lines
    from regard.apps.translate.pairs import clean_text

    if texts:
        yield from (clean_text(text) for text in texts)
        return
    name = str(file) if file else "standard input"
    lines = read_lines(file) if file else map(decode_line, sys.stdin.buffer)
    for number, line in enumerate(lines, 1):
        if isinstance(line, Undecodable):
            raise ValueError(f"{name}:{number}: not UTF-8 ({line}).")
        yield clean_text(line)


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _AT_ONCE or sys.stdin.isatty():
            yield batch
            batch = []
    if batch:
        yield batch


def _json(text: str, found: list[Translation]) -> str:
    best, *others = (
        {
            "translation": hypothesis.text,
            "score": round(hypothesis.score, 5),
            "pieces": hypothesis.pieces,
            "alignment": hypothesis.weights.round(4).tolist(),
        }
        for hypothesis in found
    )
    content = {"source": text, "source_pieces": found[0].source_pieces}
    return json.dumps({**content, **best, "others": others}, ensure_ascii=False)
