"""`regard report`: translations with their alignment matrices, as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
    language: Annotated[str, typer.Option(help="Of the page: en or ru.")] = "en",
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Word links: a table with the sentences, or a line such as "
            "'0-0 1-2 2?3' for each of the pairs, which are then fed to the model."
        ),
    ] = None,
    beam: Beam = 5,
    backend: Backend = None,
) -> None:
    """Write a page that shows translations and what the model looked at."""
    files = [*(pairs or []), *([second] if second else [])]
    translator = load_translator(run)
    if gold is not None:
        texts = None
        if files or source is not None:
            given = read_given_pairs(files, source, target, references)
            texts = [(pair.source, pair.target) for pair in given.pairs]
        write_beside_links(translator, gold, texts, out, limit, language)
        return
    given = read_given_pairs(files, source, target, references)

    from regard.apps.translate.report import write_translation_report

    given.pairs = given.pairs[:limit]
    path = write_translation_report(
        translator, given, out, beam=beam, language=language
    )
    print(f"{path}: {len(given.pairs)} translations with their alignments")


def write_beside_links(
    translator: Any,
    gold: Path,
    texts: list[tuple[str, str]] | None,
    out: Path,
    limit: int,
    language: str,
) -> None:
    """The page with the links that people drew."""
    from regard.apps.translate.report import write_gold_report
    from regard.seeing.pharaoh import read_gold

    pairs = read_gold(gold, texts)[:limit]
    path = write_gold_report(translator, pairs, out, language, gold.name)
    print(f"{path}: {len(pairs)} alignments beside those that people drew")
