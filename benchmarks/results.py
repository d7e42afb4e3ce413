"""Records as files and tables: JSON, the terminal, RESULTS.md."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.table import COLUMNS, Row, rows
from benchmarks.works import works

PACKAGES = (
    "keras jax tensorflow tensorflow-cpu torch keras-hub entmax x-transformers "
    "ctranslate2 numpy"
).split()
PAGE = Path(__file__).with_name("RESULTS.md")
START, END = "<!-- table: written by run.py -->", "<!-- end of the table -->"


def read(path: Path | None) -> dict:
    """The record in a file, an empty one where there is none."""
    if path is not None and path.is_file():
        return json.loads(path.read_text())
    return {"works": {}, "limits": {}}


def about() -> dict:
    """When and on what a record is measured."""
    return {
        "measured": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "python": platform.python_version(),
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    words = {name.strip(): value.strip() for name, value in found.items()}
    name = words.get("model name", platform.machine())
    wide = "AVX-512" if "avx512f" in words.get("flags", "") else ""
    wide = wide or ("AVX2" if "avx2" in words.get("flags", "") else "")
    family = f"family {words.get('cpu family', '?')} model {words.get('model', '?')}"
    return f"{name} ({family}, {wide}), {os.cpu_count()} cores"


def machine(record: dict) -> str:
    limits = record.get("limits") or {}
    parts = [record.get("processor", ""), f"Python {record.get('python')}"]
    parts += [f"{name} {each}" for name, each in record.get("versions", {}).items()]
    lines = [", ".join(parts)]
    if "arithmetic" in limits:
        lines.append(
            f"products {limits['arithmetic'] / 1e9:.0f} GFLOP/s, memory "
            f"{limits['traffic'] / 1e9:.1f} GB/s, exponentials "
            f"{limits['functions'] / 1e9:.2f} billion/s"
        )
    return "\n".join(lines)


def table(record: dict, only: list[str], backends: list[str]) -> str:
    """For the terminal: columns as wide as what they hold."""
    chosen = {name: work for name, work in works().items() if name in only}
    shown = list(rows(record, chosen, backends))
    cells = [list(COLUMNS), *(row.cells() for row in shown)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(COLUMNS))]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        for line in cells
    ]
    text = "\n".join(line.rstrip() for line in lines)
    return f"{machine(record)}\n\n{text}\n{summary(shown)}{_hurried(record)}"


def _hurried(record: dict) -> str:
    parts = [each for work in record["works"].values() for each in work.values()]
    if not any(each["quick"] for each in parts):
        return ""
    return ", with --quick, though the goals are for full sizes"


def summary(shown: list[Row]) -> str:
    verdicts = [row.verdict for row in shown]
    counts = (
        sum(each.startswith(name) for each in verdicts)
        for name in ("met", "MISSED", "failed")
    )
    return "{} met, {} missed, {} failed".format(*counts)


def write(record: dict) -> Path:
    """Put the table into RESULTS.md; what stands around it stays."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    _, after = rest.split(END)
    shown = list(rows(record, works()))
    lines = [f"Measured {record.get('measured')}{_hurried(record)}:"]
    lines += [*machine(record).splitlines(), summary(shown) + "."]
    head = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    body = ["| " + " | ".join(row.cells()) + " |" for row in shown]
    text = "\n\n".join(lines) + "\n\n" + "\n".join([*head, *body])
    PAGE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    return PAGE
