"""The page's script and style, made small by esbuild: a core, and a bundle per view.

    make page        # or: python src/regard/reports/bundle.py path/to/esbuild

What reports carry lies in ``built``, made from ``assets`` and kept beside it: only
who changes the page needs esbuild. The first line of a file is a hash of its sources:
a test says when they were changed and not built.

The core becomes ``const [names] = (() => { ...; return [names] })()``, each name a
letter or two by which the views, written ``(() => { ... })()``, call what they import:
a page runs the core, some views, and ``start()``.
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

# Letters that no view has as a name of its own, so that none hides one of the core.
_FREE = "defjruvz" + string.ascii_uppercase[2:]
_LETTERS = [f"${letter}" for letter in string.ascii_letters]
VERSION = "0.28.2"  # of esbuild: another may write the same script in other bytes
SOURCES = Path(__file__).with_name("assets")
BUILT = Path(__file__).with_name("built")
_OPTIONS = (
    "--bundle",
    "--minify",
    "--target=es2022",
    "--charset=utf8",
)
#: Properties of the page's own objects, which neither its data nor the browser know:
#: each becomes ``$`` and a letter.
OWN = tuple(
    "begin beneath blocks box buffer called causeAt cell centre choices "
    "colourLine count curve divergence draw example factor fits frame high judge "
    "judged kind lineOf link mark mirrored note opens others out pieces places "
    "plane predicted queries ring seen signed small stride tab table tops wide".split()
)


def names() -> list[str]:
    """Every file that is built."""
    views = sorted(path.name for path in (SOURCES / "views").glob("*.js"))
    return ["page.css", "views.css", "unpack.js", "core.js", *views]


def _sources(name: str) -> list[Path]:
    """The files that one is built from, the one to begin with first."""
    core = SOURCES / "core" / "core.js"
    if name.endswith(".css") or name == "unpack.js":
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
    source = _sources(name)[0]
    text = source.read_text("utf-8")
    kind, more = name.rpartition(".")[2], ["--format=esm"]
    if source.parent.name == "views":
        text = text.replace(_imported(text), "")
        short = [each for each in _short_names().items() if each[0] != "start"]
        taken = {code for _, code in short} & set(
            re.findall(r"(?<![.\w])[\w$]+", _told(text))
        )
        if taken:
            raise ValueError(
                f"{name} must not name anything {', '.join(sorted(taken))}."
            )
        more = ["--format=iife", *(f"--define:{long}={code}" for long, code in short)]
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "names.json"
        known.write_text(json.dumps(dict(zip(OWN, _LETTERS, strict=False))))
        more += [f"--mangle-props=^({'|'.join(OWN)})$", f"--mangle-cache={known}"]
        command = [esbuild, f"--loader={kind}", *_OPTIONS, *more]
        if name == "unpack.js":  # a script, whose one name the others call
            command = [esbuild, f"--loader={kind}", *_OPTIONS[1:]]
        made = subprocess.run(
            command,
            input=text.encode(),
            capture_output=True,
            check=True,
            cwd=source.parent,
        )
    text = made.stdout.decode("utf-8").rstrip("\n")
    return first_line(name) + (_core(text) if name == "core.js" else text) + "\n"


def _imported(text: str) -> str:
    """The line by which a view imports from the core."""
    return next(re.finditer(r'import .* from "../core/core.js";\n', text)).group()


def _told(text: str) -> str:
    """A script without its comments."""
    return re.sub(r"//.*", "", text)


def _core(text: str) -> str:
    """``BODY export{minified as name,...};`` as a function that returns the names."""
    body, _, listed = text.removesuffix("};").rpartition("export{")
    pairs = [each.split(" as ") for each in listed.split(",")]
    minified = ",".join(each[0] for each in pairs)
    names = ",".join(_short_names()[each[-1]] for each in pairs)
    return f"const[{names}]=(()=>{{{body}return[{minified}]}})();"


def _short_names() -> dict[str, str]:
    """A letter or two for each name that the core exports, the first ones one letter;
    the page asks for start."""
    listed = re.findall(r"export \{(.*?)\}", _sources("core.js")[0].read_text("utf-8"))
    known = [name for each in listed for name in each.replace(" ", "").split(",")]
    codes = (*_FREE, *(f"{one}{other}" for one in "CD" for other in _FREE))
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
