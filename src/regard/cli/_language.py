"""The option of every verb that speaks English and Russian."""

from __future__ import annotations

from typing import Annotated

import typer

from regard.cards import check_language

Language = Annotated[
    str,
    typer.Option(
        "--lang",
        "--language",
        metavar="en|ru",
        help="Of what is said.",
        callback=check_language,
    ),
]
