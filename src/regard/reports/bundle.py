"""The page's script and style, each bundled into one small file by esbuild.

    make page        # or: python src/regard/reports/bundle.py path/to/esbuild

What a report carries lies in ``built``, made from ``assets`` and kept beside it: only
who changes the page needs esbuild. The first line of a file is a hash of its sources:
a test says when they were changed and not built.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

VERSION = "0.28.2"  # of esbuild: another may write the same script in other bytes
SOURCES = Path(__file__).with_name("assets")
BUILT = Path(__file__).with_name("built")
_ENTRIES = {"page.js": "main.js", "page.css": "page.css"}
_OPTIONS = (
    "--bundle",
    "--minify",
    "--format=iife",
    "--target=es2022",
    "--charset=utf8",
)


def first_line(name: str) -> str:
    """The comment that says which sources ``name`` was built from."""
    known = hashlib.sha256(VERSION.encode())
    for path in sorted(SOURCES.glob(f"*{Path(name).suffix}")):
        known.update(path.name.encode() + b"\n" + path.read_bytes())
    return f"/* {known.hexdigest()[:16]} */\n"


def build(name: str, esbuild: str) -> str:
    """The text of one built file."""
    command = [esbuild, str(SOURCES / _ENTRIES[name]), *_OPTIONS]
    made = subprocess.run(command, capture_output=True, check=True)
    return first_line(name) + made.stdout.decode("utf-8").rstrip("\n") + "\n"


def main(esbuild: str) -> None:
    """Build both files anew."""
    for name in _ENTRIES:
        (BUILT / name).write_text(build(name, esbuild), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
