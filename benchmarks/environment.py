"""The environment of the benchmarks: this package, three backends and the peers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".venv-bench"
NEEDED = ROOT / "benchmarks" / "requirements.txt"


def enter() -> None:
    """Go on inside the environment, made first where it is missing or old."""
    python = PLACE / ("Scripts" if os.name == "nt" else "bin") / "python"
    if Path(sys.prefix) == PLACE:
        return
    stamp = PLACE / "installed"
    wanted = hashlib.sha256(NEEDED.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"Installing the peers into {PLACE.name}", file=sys.stderr, flush=True)
        venv.create(PLACE, with_pip=True)
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q"]
        done = subprocess.run([*pip, "-r", NEEDED], cwd=ROOT)
        if done.returncode:
            sys.exit("The peers could not be installed: see above.")
        stamp.write_text(wanted)
    os.execv(python, [python, *sys.argv])
