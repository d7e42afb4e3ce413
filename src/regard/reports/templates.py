"""Files of the package that pages are put together from, and their blanks filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from regard._version import __version__


def filled(template: str, values: Mapping[str, str]) -> str:
    """The file ``template`` with ``{{name}}`` replaced by the value of that name."""
    # One pass, so that a text which holds "{{data}}" stays a text.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text_of(template))


def head(language: str, title: str, style: str) -> str:
    """What every page begins with; ``title`` is HTML, ``style`` the name of a file.

    The page may load nothing: its policy forbids every address but those of data.
    """
    values = {"language": language, "version": __version__, "title": title}
    return filled("assets/head.html", values | {"style": text_of(style)})


def built(name: str) -> str:
    """A file of ``built``, without the line that says what it was built from."""
    return text_of(f"built/{name}").partition("\n")[2]


@cache
def text_of(name: str) -> str:
    """A file by its path below ``regard/reports``."""
    place = resources.files("regard.reports").joinpath(*name.split("/"))
    return place.read_text(encoding="utf-8").strip()
