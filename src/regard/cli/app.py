"""The application: every module of this folder that offers a verb becomes one.

A verb's module defines `command`, the function that typer runs, or, where the verb
has verbs of its own (`regard train translate`), `app`, a `typer.Typer`. It imports
what is heavy inside its functions, so that `regard --help` stays quick.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import regard
from regard import cli

TRACEBACK = "REGARD_TRACEBACK"  # set to see where an error came from


def build() -> typer.Typer:
    """Return the application with all its verbs."""
    app = typer.Typer(
        name="regard",
        help="Attention for Keras: train, translate, and see what a model looks at.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name != "app" and not module.name.startswith("_"):
            _add(app, module.name)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the application; bad input ends in one line of text, not a traceback."""
    try:
        build()(args=arguments, prog_name="regard")
    except SystemExit as stop:  # typer's way of returning
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get(TRACEBACK):
            raise
        print(f"regard: {error}", file=sys.stderr)
        return 2
    return 0


def _add(app: typer.Typer, name: str) -> None:
    module = importlib.import_module(f"regard.cli.{name}")
    verb = name.replace("_", "-")
    if hasattr(module, "app"):
        app.add_typer(module.app, name=verb)
    elif hasattr(module, "command"):
        app.command(verb)(module.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        import keras

        backend = keras.backend.backend()
        print(f"regard {regard.__version__} (Keras {keras.__version__}, {backend})")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Say and stop."
        ),
    ] = False,
) -> None:
    pass
