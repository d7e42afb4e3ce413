"""`regard report`: translations with their alignment matrices, as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regard.cli._language import Language
from regard.cli._options import Backend
from regard.cli._pairs import (
    Pairs,
    References,
    SecondFile,
    Source,
    Target,
    read_given_pairs,
)
from regard.cli._runs import Beam, Run, load_translator


def command(  # noqa: PLR0913 - a command line's options
    run: Run,
    second: SecondFile = None,
    pairs: Pairs = None,
    source: Source = None,
    target: Target = None,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path(
        "report.html"
    ),
    references: References = "1",
    limit: Annotated[int, typer.Option(min=1, help="Pairs to show.")] = 100,
    language: Language = "en",
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Word links: a table with the sentences, or a line such as "
            "'0-0 1-2 2?3' for each of the pairs, which are then fed to the model."
        ),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="Black a word out; may be given again."),
    ] = None,
    beam: Beam = 5,
    backend: Backend = None,
) -> None:
    """Write a page that shows translations and what the model looked at."""
    files = [*(pairs or []), *([second] if second else [])]
    translator = load_translator(run)

    from regard.apps.translate.report import write_gold_report, write_translation_report
    from regard.seeing.pharaoh import read_gold

    if gold is not None:
        texts = None
        if files or source is not None:
            given = read_given_pairs(files, source, target, references)
            texts = [(pair.source, pair.target) for pair in given.pairs]
        pairs_with_links = read_gold(gold, texts)[:limit]
        path = write_gold_report(
            translator, pairs_with_links, out, language, gold.name, redact or ()
        )
        count = len(pairs_with_links)
        print(f"{path}: {count} alignments beside those that people drew")
        return
    given = read_given_pairs(files, source, target, references)
    given.pairs = given.pairs[:limit]
    path = write_translation_report(
        translator, given, out, beam=beam, language=language, redact=redact or ()
    )
    print(f"{path}: {len(given.pairs)} translations with their alignments")
