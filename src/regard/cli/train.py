"""`regard train translate`: sentence pairs in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regard.cli._extras import TRANSLATE, require
from regard.cli._options import Backend
from regard.cli._pairs import (
    Pairs,
    PairsCommand,
    Source,
    Target,
    pair_files,
    read_given_pairs,
)

if TYPE_CHECKING:
    from regard.apps.translate.config import TrainingSettings, TranslateConfig
    from regard.apps.translate.pairs import PairSet
    from regard.apps.translate.run_folder import RunFolder

DEFAULT_MINUTES = 15.0

app = typer.Typer(no_args_is_help=True, help="Train a model on your own data.")


@app.callback()
def _verbs() -> None:
    """Keep `translate` a verb of its own: with one command typer would drop it."""


@app.command(cls=PairsCommand)
def translate(  # noqa: PLR0913 - a command line's options
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    pairs: Pairs = None,
    source: Source = None,
    target: Target = None,
    dev: Annotated[
        list[Path] | None,
        typer.Option("--dev", metavar="FILE [FILE]", help="Pairs to check against."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="recurrent (the default) or transformer.")
    ] = None,
    attention: Annotated[
        str | None, typer.Option(help="additive, dot, general, concat, cosine ...")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help=f"Time to train in all; by default {DEFAULT_MINUTES:g}."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the pairs in all.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings in TOML, as --show-settings prints.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="What chance follows.")] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in --out; more --minutes or --epochs than it began "
            "with let it train longer.",
        ),
    ] = False,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Print all settings and stop.")
    ] = False,
    backend: Backend = None,
) -> None:
    """Train a translator; Ctrl-C saves, and --resume goes on."""
    from regard.apps.translate.config import TranslateConfig

    given: dict[str, dict[str, Any]] = {
        "model": {"kind": model, "attention": attention},
        "training": {"minutes": minutes, "epochs": epochs, "seed": seed},
    }
    if show_settings:
        print(TranslateConfig.load(config, **given).to_toml(), end="")
        return
    if out is None:
        raise ValueError("--out must name the run folder.")
    require(TRANSLATE)
    files = {"pairs": list(pairs or []), "dev": list(dev or [])}
    if source or target:
        files["pairs"] = [f for f in pair_files(pairs, source, target) if f]
    if resume and (out / "config.json").exists():
        begun = _continued(out, config, given, files)
    else:
        begun = _begun(out, _with_budget(TranslateConfig.load(config, **given)), files)

    from regard.apps.translate.training import train

    train(*begun, say=_say, resume=resume)


_Begun = tuple["RunFolder", "PairSet", "PairSet | None"]
_Files = dict[str, list[Path]]


def _begun(out: Path, settings: TranslateConfig, files: _Files) -> _Begun:
    """Read the pairs and begin a run; nothing is written where they are refused."""
    from regard.apps.translate.run_folder import RunFolder

    read = _read(files, settings)
    names = {name: [str(file.resolve()) for file in files[name]] for name in files}
    folder = RunFolder.create(out, settings, digest=read[0].digest(), **names)
    return folder, *read


def _continued(
    out: Path, config: Path | None, given: dict[str, dict[str, Any]], files: _Files
) -> _Begun:
    """Open a run and read its pairs: those named now, or those it began with."""
    from regard.apps.translate.run_folder import RunFolder

    folder = RunFolder.open(out)
    training = _lengthened(folder.config(), given, config)
    facts = folder.facts()
    files = {
        name: named or [Path(file) for file in facts.get(name, [])]
        for name, named in files.items()
    }
    pairs, dev = _read(files, folder.config())
    if facts.get("digest") not in (None, pairs.digest()):
        raise ValueError(
            f"{pairs.name}: with --resume the pairs must be those the run began with, "
            "line by line; these are others. Train into another --out."
        )
    folder.lengthen(training)
    return folder, pairs, dev


def _read(files: _Files, settings: TranslateConfig) -> tuple[PairSet, PairSet | None]:
    longest = settings.data.max_characters
    pairs = read_given_pairs(files["pairs"], max_characters=longest)
    if not files["dev"]:
        return pairs, None
    return pairs, read_given_pairs(files["dev"], max_characters=longest)


def _with_budget(settings: TranslateConfig) -> TranslateConfig:
    training = settings.training
    if training.minutes is None and training.epochs is None:
        training = training.model_copy(update={"minutes": DEFAULT_MINUTES})
    return settings.model_copy(update={"training": training})


def _lengthened(
    settings: TranslateConfig, given: dict[str, dict[str, Any]], config: Path | None
) -> TrainingSettings:
    """Refuse settings that differ from those of the run, but for a larger budget."""
    from regard.apps.translate.config import TranslateConfig

    if config is not None:
        given = TranslateConfig.load(config, **given).model_dump()
    training = settings.training
    for section, values in given.items():
        before = getattr(settings, section)
        for name, value in values.items():
            old = getattr(before, name)
            if value is None or value == old:
                continue
            if name not in ("minutes", "epochs") or old is None or not value > old:
                raise ValueError(
                    f"--resume continues with the settings the run began with: "
                    f"{section}.{name} was {old!r}. Got {value!r}. Leave it out, or "
                    "train into another --out."
                )
            training = training.model_copy(update={name: value})
    return training


def _say(line: str) -> None:
    typer.echo(line, err=True)
