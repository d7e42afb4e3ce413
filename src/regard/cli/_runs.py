"""What evaluate, translate and report share: a run folder and how it is searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regard.cli._extras import TRANSLATE, require

if TYPE_CHECKING:
    from regard.apps.translate.evaluation import Translator

Run = Annotated[Path, typer.Argument(help="The folder that `regard train` wrote.")]
Beam = Annotated[
    int, typer.Option(min=1, max=64, help="Hypotheses kept; 1 is greedy search.")
]


def load_translator(run: Path) -> Translator:
    """Load the best checkpoint of a run, with its tokenizers."""
    require(TRANSLATE)

    from regard.apps.translate.run_folder import RunFolder

    folder = RunFolder.open(run)

    from regard.apps.translate.evaluation import Translator

    return Translator.load(folder)
