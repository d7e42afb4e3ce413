"""The command line, one file per verb; `app.py` finds them."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `regard` command and return its exit status.

    Args:
        arguments: words after the program's name; those of the process if None.
    """
    from regard.cli.app import run

    return run(arguments)
