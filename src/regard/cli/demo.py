"""`regard demo dates` and `regard demo translate`: from nothing to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regard.cli._options import Backend

if TYPE_CHECKING:
    from regard.apps.dates.reader import Reading

app = typer.Typer(no_args_is_help=True, help="Demonstrations that train a model.")


@app.command()
def dates(
    out: Annotated[Path, typer.Option(help="Folder of data, model and report.")] = Path(
        "runs/demo"
    ),
    text: Annotated[
        list[str] | None, typer.Option("--text", help="Read this date too.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 4,
    seconds: Annotated[float, typer.Option(help="Longest time of training.")] = 75.0,
    samples: Annotated[int, typer.Option(min=1, help="Dates to learn from.")] = 24000,
    backend: Backend = None,
) -> None:
    """Learn to read dates in twelve languages; draw what the model looked at."""
    from regard.apps.dates.demo import GOAL, DatesDemo
    from regard.apps.dates.recipe import Recipe
    from regard.apps.dates.samples import SampleSettings

    demo = DatesDemo(
        out,
        SampleSettings(train=samples),
        Recipe(epochs=epochs, seconds=seconds),
        say=print,
    )
    reader, scores = demo.run()
    for reading in [*demo.examples(reader), *(reader.read(text) if text else [])]:
        _draw(reading)
    exact, held_out = 100 * scores["exact_match"], scores["held_out"]
    print(
        f"\n{exact:.2f} % of {held_out:,} dates on days never seen are read exactly "
        f"(training took {scores['training_seconds']:.0f} s)."
    )
    if scores["exact_match"] < GOAL:
        print(f"That is below {100 * GOAL:.1f} %: train longer, with more --epochs.")
    print(f"Open {demo.report} in a browser to see where the model looked.")


def _draw(reading: Reading) -> None:
    from regard.reports import print_alignment

    print(f"\n{reading.text}  ->  {reading.iso}")
    print_alignment(reading.record())
