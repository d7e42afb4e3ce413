"""`regard evaluate`: BLEU, chrF, exact match and speed of a run on sentence pairs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

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
    references: References = "1",
    beam: Beam = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    backend: Backend = None,
) -> None:
    """Score a trained translator on pairs it has not seen."""
    files = [*(pairs or []), *([second] if second else [])]
    translator = load_translator(run)
    given = read_given_pairs(files, source, target, references)

    from regard.apps.translate.evaluation import evaluate

    scores = evaluate(translator, given, beam=beam)
    facts = {k: v for k, v in asdict(scores).items() if k != "translations"}
    if as_json:
        print(json.dumps({"pairs": len(given.pairs), "beam": beam, **facts}, indent=2))
        return
    print(f"BLEU {scores.bleu:.2f}  ({scores.bleu_signature})")
    print(f"chrF {scores.chrf:.2f}  ({scores.chrf_signature})")
    print(f"exact match {100 * scores.exact_match:.2f} % of {len(given.pairs):,}")
    print(f"{scores.tokens_per_second:,.0f} tokens per second, beam {beam}")
