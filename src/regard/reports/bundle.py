"""The page's script and style, made small by esbuild: a core, and a bundle per view.

    make page        # or: python src/regard/reports/bundle.py path/to/esbuild

What reports carry lies in ``built``, made from ``assets`` and kept beside it: only
who changes the page needs esbuild. The first line of a file is a hash of its sources:
a test says when they were changed and not built.

The core becomes ``const core = (() => { ...; return { names } })()``, and what a view
imports of it ``const { names } = core``: a page runs the core, some views, and
``core.start()``. All other names are one or two letters.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
import subprocess
import sys
import tempfile
from pathlib import Path

_LETTERS = [f"${letter}" for letter in string.ascii_letters]
VERSION = "0.28.2"  # of esbuild: another may write the same script in other bytes
SOURCES = Path(__file__).with_name("assets")
BUILT = Path(__file__).with_name("built")
_OPTIONS = (
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022",
    "--charset=utf8",
    "--external:*/core.js",
)
#: Properties of the page's own objects, which neither its data nor the browser know:
#: each becomes ``$`` and a letter.
OWN = tuple(
    "buffer causeAt centre choices colourLine divergence example judged lineOf "
    "mirrored others pieces places plane predicted signed".split()
)


def names() -> list[str]:
    """Every file that is built."""
    views = sorted(path.name for path in (SOURCES / "views").glob("*.js"))
    return ["page.css", "core.js", *views]


def _sources(name: str) -> list[Path]:
    """The files that one is built from, the one to begin with first."""
    core = SOURCES / "core" / "core.js"
    if name == "page.css":
        return [SOURCES / name]
    if name != "core.js":
        return [SOURCES / "views" / name, core]
    return sorted(core.parent.glob("*.js"), key=lambda path: (path != core, path.name))


def first_line(name: str) -> str:
    """The comment that says which sources ``name`` was built from."""
    known = hashlib.sha256(repr((VERSION, _OPTIONS, OWN)).encode())
    for path in _sources(name):
        known.update(path.name.encode() + b"\n" + path.read_bytes())
    return f"/* {known.hexdigest()[:16]} */\n"


def build(name: str, esbuild: str) -> str:
    """The text of one built file."""
    command = [esbuild, str(_sources(name)[0]), *_OPTIONS]
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "names.json"
        known.write_text(json.dumps(dict(zip(OWN, _LETTERS, strict=False))))
        command += [f"--mangle-props=^({'|'.join(OWN)})$", f"--mangle-cache={known}"]
        made = subprocess.run(command, capture_output=True, check=True)
    text = made.stdout.decode("utf-8").rstrip("\n")
    if name.endswith(".js"):
        text = _core(text) if name == "core.js" else _view(text)
    return first_line(name) + text + "\n"


def _core(text: str) -> str:
    """``BODY export{minified as name,...};`` as a function that returns the names."""
    body, _, listed = text.removesuffix("};").rpartition("export{")
    return f"const core=(()=>{{{body}return{{{_pairs(listed, turned=True)}}}}})();"


def _view(text: str) -> str:
    """``import{name as minified,...}from"../core/core.js";BODY`` likewise."""
    listed, _, body = text.removeprefix("import{").partition('}from"')
    body = body.partition(";")[2]
    return f"(()=>{{const{{{_pairs(listed)}}}=core;{body}}})();"


def _pairs(listed: str, turned: bool = False) -> str:
    """``name as minified,...`` as properties; ``turned``: ``minified as name``."""
    short = _short_names()
    pairs = [each.split(" as ")[:: -1 if turned else 1] for each in listed.split(",")]
    return ",".join(f"{short[each[0]]}:{each[-1]}" for each in pairs)


def _short_names() -> dict[str, str]:
    """A letter or two for each name that the core exports; the page asks for start."""
    listed = re.findall(r"export \{(.*?)\}", _sources("core.js")[0].read_text("utf-8"))
    known = sorted(name for each in listed for name in each.replace(" ", "").split(","))
    letters = string.ascii_letters
    codes = (*letters, *(f"a{each}" for each in letters))
    return dict(zip(known, codes, strict=False)) | {"start": "start"}


def main(esbuild: str) -> None:
    """Build every file anew, and remove those that have no source."""
    for path in BUILT.iterdir():
        if path.name not in names():
            path.unlink()
    for name in names():
        (BUILT / name).write_text(build(name, esbuild), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
