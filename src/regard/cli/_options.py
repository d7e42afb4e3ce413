"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer


def _check_backend(name: str | None) -> str | None:
    import keras

    running = keras.backend.backend()
    if name is not None and name != running:
        raise typer.BadParameter(
            f"this process already runs Keras on {running}. Start the command anew "
            f"with --backend {name}, or set KERAS_BACKEND={name}."
        )
    return name


# The command's start has read the option before Keras was imported (regard_backend.py):
# a verb declares it to have it in its help, and to refuse a choice that comes too late.
Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="jax, tensorflow or torch; by default the one Keras is set to.",
        callback=_check_backend,
    ),
]


@contextmanager
def as_typed(**options: str) -> Iterator[None]:
    """Let an error about a parameter name the option that gave it: word="--word"."""
    try:
        yield
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        if name not in options:
            raise
        raise ValueError(f"{options[name]} {rest}") from error
