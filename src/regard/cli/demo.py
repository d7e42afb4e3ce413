"""`regard demo dates` and `regard demo translate`: from nothing to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regard.cli._extras import DATES, TRANSLATE, require
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
    require(DATES)

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
    if "characters_read" in scores:  # a model made by an earlier version has none
        learning = scores["characters_learnt"] / max(scores["training_seconds"], 0.1)
        reading = scores["characters_read"] / max(scores["reading_seconds"], 0.001)
        print(
            f"Characters a second, compiling included: {learning:,.0f} in training, "
            f"{reading:,.0f} in reading."
        )
    if scores["exact_match"] < GOAL:
        print(f"That is below {100 * GOAL:.1f} %: {_longer(scores, seconds, epochs)}.")
    print(f"Open {demo.report} in a browser to see where the model looked.")


def _longer(scores: dict[str, Any], seconds: float, epochs: int) -> str:
    """How to train longer, by what ended the training."""
    if scores["training_seconds"] < seconds:
        return "train longer, with more --epochs"
    return (
        f"the {seconds:g} s allowed were over before the {epochs} epochs; train "
        "longer, with more --seconds"
    )


def _draw(reading: Reading) -> None:
    from regard.reports import print_alignment

    print(f"\n{reading.text}  ->  {reading.iso}")
    print_alignment(reading.record())


@app.command()
def translate(
    to: Annotated[
        str, typer.Option(help="Target language: ru, fr, de, pt_BR ...")
    ] = "ru",
    out: Annotated[Path, typer.Option(help="Folder of all that is made.")] = Path(
        "runs/demo-translate"
    ),
    minutes: Annotated[float, typer.Option(help="Time to train.")] = 10.0,
    backend: Backend = None,
) -> None:
    """Learn to translate the messages of programs, from packages on PyPI."""
    require(DATES | TRANSLATE)

    from regard.apps.translate.demo import LIMITS, DemoSettings, TranslateDemo
    from regard.apps.translate.report import record_of
    from regard.reports import print_alignment

    demo = TranslateDemo(out, DemoSettings(language=to, minutes=minutes))
    scores = demo.run()
    texts = demo.examples()
    for text, found in zip(texts, demo.translate(texts), strict=True):
        print(f"\n{text}  ->  {found.text}")
        print_alignment(record_of(found))
    print(f"\nBLEU {scores['bleu']:.2f}  ({scores['bleu_signature']})")
    print(f"chrF {scores['chrf']:.2f}  ({scores['chrf_signature']})")
    print(f"exact match {100 * scores['exact_match']:.1f} % of the held-out messages")
    print("\n".join(["", LIMITS["en"], *([LIMITS["ru"]] if to == "ru" else [])]))
    print(f"Open {demo.report} in a browser to see where the model looked.")
