"""The options that name sentence pairs, shared by train, evaluate and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from regard.apps.translate.pairs import PairSet

Pairs = Annotated[
    list[Path] | None,
    typer.Option(
        "--pairs",
        metavar="FILE [FILE]",
        help="Tab-separated pairs (Tatoeba, Anki), or two line-aligned files; "
        "plain or gzip.",
    ),
]
Source = Annotated[
    Path | None, typer.Option("--source", help="Sources, one a line; needs --target.")
]
Target = Annotated[
    Path | None, typer.Option("--target", help="Targets, one for each source.")
]
References = Annotated[
    str,
    typer.Option(
        metavar="N|all", help="How many columns after the first are translations."
    ),
]
SecondFile = Annotated[
    Path | None, typer.Argument(hidden=True, help="The second file of --pairs.")
]


class PairsCommand(TyperCommand):
    """A command whose `--pairs A B` and `--dev A B` may name two files."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write `--pairs A B` as `--pairs A --pairs B`, which click understands."""
        return super().parse_args(ctx, repeat_options(args, ("--pairs", "--dev")))


def repeat_options(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """Repeat the option before every value that follows its first."""
    done: list[str] = []
    name = None
    for argument in arguments:
        if argument.startswith("-"):
            name = argument if argument in names else None
        elif name is not None and done[-1] != name:
            done.append(name)
        done.append(argument)
    return done


def read_given_pairs(
    pairs: Sequence[Path] | None,
    source: Path | None = None,
    target: Path | None = None,
    references: str = "1",
    max_characters: int = 2000,
) -> PairSet:
    """Read the pairs that options name, and report skipped lines on standard error."""
    from regard.apps.translate.pairs import read_pairs

    first, second = pair_files(pairs, source, target)
    found = read_pairs(first, second, count_of(references), max_characters)
    typer.echo(found.report(), err=True)
    return found


def pair_files(
    pairs: Sequence[Path] | None, source: Path | None = None, target: Path | None = None
) -> tuple[Path, Path | None]:
    """Return one tab-separated file, or two aligned ones.

    Raises:
        ValueError: no files, too many, or half of a couple.
    """
    if (source is None) != (target is None):
        raise ValueError("--source and --target must be given together.")
    if pairs and source is not None:
        raise ValueError("give either --pairs, or --source and --target, not both.")
    files = list(pairs or [])
    if source is not None and target is not None:
        files = [source, target]
    if not 1 <= len(files) <= 2:
        raise ValueError(
            "--pairs must name one tab-separated file or two line-aligned files. "
            f"Got {len(files)}."
        )
    return files[0], files[1] if len(files) == 2 else None


def count_of(references: str) -> int | None:
    """Return the number of references, None for all. Raises ValueError otherwise."""
    if references == "all":
        return None
    if not references.isdecimal() or int(references) < 1:
        raise ValueError(
            f"--references must be a positive number or 'all'. Got {references!r}."
        )
    return int(references)
