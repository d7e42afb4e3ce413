"""`regard train translate`: sentence pairs in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from regard.apps.translate.config import TranslateConfig
    from regard.apps.translate.run_folder import RunFolder

DEFAULT_MINUTES = 15.0

app = typer.Typer(no_args_is_help=True, help="Train a model on your own data.")


@app.callback()
def _verbs() -> None:
    """Keep `translate` a verb of its own: with one command typer would drop it."""


@app.command(cls=PairsCommand)
def translate(  # noqa: PLR0913 - a command line's options
    out: Annotated[Path, typer.Option(help="The run folder.")],
    pairs: Pairs = None,
    source: Source = None,
    target: Target = None,
    dev: Annotated[
        list[Path] | None,
        typer.Option("--dev", metavar="FILE [FILE]", help="Pairs to check against."),
    ] = None,
    attention: Annotated[
        str | None, typer.Option(help="additive, dot, general, concat, cosine ...")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help=f"Time to train; by default {DEFAULT_MINUTES:g}."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the pairs.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings: a TOML file, see --show-settings.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="What chance follows.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out.")
    ] = False,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Print all settings and stop.")
    ] = False,
    backend: Backend = None,
) -> None:
    """Train a translator; Ctrl-C saves, and --resume goes on."""
    from regard.apps.translate.config import TranslateConfig
    from regard.apps.translate.run_folder import RunFolder

    given: dict[str, dict[str, Any]] = {
        "model": {"attention": attention},
        "training": {"minutes": minutes, "epochs": epochs, "seed": seed},
    }
    if resume and (out / "config.json").exists():
        folder = RunFolder.open(out)
        _check_unchanged(folder.config(), given, config)
        files = _files_of(folder, pairs, source, target, dev)
        settings = folder.config()
    else:
        settings = _with_budget(TranslateConfig.load(config, **given))
        files = _named_files(pairs, source, target, dev)
    if show_settings:
        print(settings.model_dump_json(indent=2))
        return
    longest = settings.data.max_characters
    training = read_given_pairs(files["pairs"], max_characters=longest)
    watched = None
    if files["dev"]:
        watched = read_given_pairs(files["dev"], max_characters=longest)
    if not (out / "config.json").exists():
        facts = {name: [str(f.resolve()) for f in fs] for name, fs in files.items()}
        folder = RunFolder.create(out, settings, **facts)

    from regard.apps.translate.training import train

    train(folder, training, watched, say=_say, resume=resume)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _with_budget(settings: TranslateConfig) -> TranslateConfig:
    training = settings.training
    if training.minutes is None and training.epochs is None:
        training = training.model_copy(update={"minutes": DEFAULT_MINUTES})
    return settings.model_copy(update={"training": training})


def _named_files(
    pairs: list[Path] | None,
    source: Path | None,
    target: Path | None,
    dev: list[Path] | None,
) -> dict[str, list[Path]]:
    found = [f for f in pair_files(pairs, source, target) if f is not None]
    return {"pairs": found, "dev": list(dev or [])}


def _files_of(
    folder: RunFolder,
    pairs: list[Path] | None,
    source: Path | None,
    target: Path | None,
    dev: list[Path] | None,
) -> dict[str, list[Path]]:
    """Return the files of a run that goes on: those named, or those it began with."""
    facts = folder.facts()
    files = {name: [Path(f) for f in facts.get(name, [])] for name in ("pairs", "dev")}
    if pairs or source or target:
        files["pairs"] = _named_files(pairs, source, target, None)["pairs"]
    if dev:
        files["dev"] = list(dev)
    return files


def _check_unchanged(
    settings: TranslateConfig, given: dict[str, dict[str, Any]], config: Path | None
) -> None:
    """Refuse settings that differ from those the run began with."""
    from regard.apps.translate.config import TranslateConfig

    if config is not None:
        given = {**TranslateConfig.load(config, **given).model_dump()}
    for section, values in given.items():
        before = getattr(settings, section)
        for name, value in values.items():
            old = getattr(before, name)
            if value is not None and value != old:
                raise ValueError(
                    f"--resume continues with the settings the run began with: "
                    f"{section}.{name} was {old!r}. Got {value!r}. Leave it out, or "
                    "train into another --out."
                )
