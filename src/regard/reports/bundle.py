"""The page's script and style, made small by esbuild: a core, and a bundle per view.

    make page        # or: python src/regard/reports/bundle.py path/to/esbuild

What reports carry lies in ``built``, made from ``assets`` and kept beside it: only
who changes the page needs esbuild. The first line of a file is a hash of its sources:
a test says when they were changed and not built.

A page runs, in one function, the core, some views, and ``start()``. The views, written
``{ ... }``, call what they import by the letters that it has in the core.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

VERSION = "0.28.2"  # of esbuild: another may write the same script in other bytes
SOURCES = Path(__file__).with_name("assets")
BUILT = Path(__file__).with_name("built")
_OPTIONS = ("--minify", "--target=es2022", "--charset=utf8")
#: Properties of the page's own objects, which neither its data nor the browser know,
#: the most used first: each becomes a letter, or ``$`` and a letter.
OWN = tuple(
    "chart wide plane rows blocks stride begin columns example high queries masks "
    "count centre weights signed mirrored choices draw canvas note tab fits mark box "
    "others called factor end all kind cell pairs falling outlined stored divergence "
    "small titles seen table opens places answers strike told ring causeAt selected "
    "curve frame out phrases tops kept least found beneath colour under "
    "below image".split()
)
_LETTERS = (
    *string.ascii_uppercase,
    "_",
    "$",
    *(f"${letter}" for letter in string.ascii_letters),
)


def names() -> list[str]:
    """Every file that is built."""
    views = sorted(path.name for path in (SOURCES / "views").glob("*.js"))
    return ["page.css", "views.css", "unpack.js", "core.js", *views]


def _sources(name: str) -> list[Path]:
    """The files that one is built from, the one to begin with first."""
    if name.endswith(".css") or name == "unpack.js":
        return [SOURCES / name]
    core = SOURCES / "core" / "core.js"
    files = sorted(core.parent.glob("*.js"), key=lambda path: (path != core, path.name))
    return files if name == "core.js" else [SOURCES / "views" / name, *files]


def first_line(name: str) -> str:
    """The comment that says which sources ``name`` was built from."""
    known = hashlib.sha256(repr((VERSION, _OPTIONS, OWN)).encode())
    for path in _sources(name):
        known.update(path.name.encode() + b"\n" + path.read_bytes())
    return f"/* {known.hexdigest()[:16]} */\n"


def build(name: str, esbuild: str) -> str:
    """The text of one built file."""
    if name == "core.js":
        text, known = _core(esbuild)
        text += f"const start={known['start']};"
    elif _sources(name)[0].parent.name == "views":
        text = _view(name, esbuild)
    else:  # a style, or the script whose one name the others call
        more = ["--bundle"] if name.endswith(".css") else []
        text = _minified(name, _sources(name)[0].read_text("utf-8"), esbuild, more)
    return first_line(name) + text + "\n"


@cache
def _core(esbuild: str) -> tuple[str, dict[str, str]]:
    """The core, and by which of its names the views find what it exports."""
    source = _sources("core.js")[0].read_text("utf-8")
    text = _minified("core.js", source, esbuild, ["--bundle", "--format=esm"])
    body, _, listed = text.removesuffix("};").rpartition("export{")
    pairs = [each.split(" as ") for each in listed.split(",")]
    return body, {each[-1]: each[0] for each in pairs}


def _view(name: str, esbuild: str) -> str:
    """A view, which calls what it imports by the names of the core. Those it must not
    give to anything of its own, so it seems to use them all while names are given."""
    source = _sources(name)[0].read_text("utf-8")
    source = re.sub('import .* from "../core/core.js";\n', "", source)
    known = _core(esbuild)[1]
    source += f"\n__names({','.join(known.values())});\n"
    more = ["--bundle", "--format=iife"]
    more += [f"--define:{long}=__{long}" for long in known]
    text = _minified(name, source, esbuild, more)
    body = re.sub(r"[,;]__names\([^)]*\)", "", text)[len("(()=>{") : -len("})();")]
    text = "{" + re.sub(r"\bvar\b(?!\()", "let", body) + "}"  # the outer ones alone
    return re.sub(r"__([\w$]+)", lambda found: known[found[1]], text)


def _minified(name: str, text: str, esbuild: str, more: Sequence[str]) -> str:
    """The text without what only its readers need."""
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "names.json"
        known.write_text(json.dumps(dict(zip(OWN, _LETTERS, strict=False))))
        if "--bundle" in more:
            more = [
                *more,
                f"--mangle-props=^({'|'.join(OWN)})$",
                f"--mangle-cache={known}",
            ]
        made = subprocess.run(
            [esbuild, f"--loader={name.rpartition('.')[2]}", *_OPTIONS, *more],
            input=text.encode(),
            capture_output=True,
            check=True,
            cwd=_sources(name)[0].parent,
        )
    return made.stdout.decode("utf-8").rstrip("\n")


def main(esbuild: str) -> None:
    """Build every file anew, and remove those that have no source."""
    for path in BUILT.iterdir():
        if path.name not in names():
            path.unlink()
    for name in names():
        (BUILT / name).write_text(build(name, esbuild), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
