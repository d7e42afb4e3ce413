"""Compare with peers and with the machine; print a table.

    python benchmarks/run.py [--only NAME ...] [--backend B ...] [--quick] [--json FILE]

Every row is a goal: ratios are medians of repeats in which the contenders take turns;
"spread" is the lowest and highest ratio of single turns; "values" ours / theirs;
"error" is against float64 NumPy, for gradients along random directions, and "peer" the
largest difference from the peer's results; "limit" how often over the least time that
products, memory traffic or functions take at the rates measured in the same run.

Without --here it runs in an environment of its own, which it makes when missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks import environment, results  # noqa: E402
from benchmarks.harness import BACKENDS  # noqa: E402
from benchmarks.measuring import measured  # noqa: E402
from benchmarks.works import works  # noqa: E402


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    known = works()
    parser = argparse.ArgumentParser(
        prog="python benchmarks/run.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help=" | ".join(known))
    parser.add_argument("--backend", nargs="+", metavar="B", help=" | ".join(BACKENDS))
    parser.add_argument("--quick", action="store_true", help="within five minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="what was measured; "
                        "added to what the file holds")  # fmt: skip
    parser.add_argument("--show", action="store_true", help="only what --json holds")
    parser.add_argument("--write", action="store_true", help="benchmarks/RESULTS.md")
    parser.add_argument("--here", action="store_true", help="with this interpreter")
    parser.add_argument("--list", action="store_true", help="the works")
    options = parser.parse_args(arguments)
    for name, allowed in (("only", known), ("backend", BACKENDS)):
        given = getattr(options, name) or list(allowed)
        for each in given:
            if each not in allowed:
                parser.error(f"--{name} must be of {', '.join(allowed)}. Got {each!r}.")
        setattr(options, name, given)
    if options.show and not (options.json and options.json.is_file()):
        parser.error(f"--show needs --json FILE that exists. Got {options.json}.")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    if options.list:
        for name, work in works().items():
            print(f"{name:20} {work.title}")
        return 0
    if not (options.here or options.show):
        environment.enter()
    record = results.read(options.json)
    code = 0 if options.show else measured(record, options)
    print(results.table(record, options.only, options.backend))
    if options.json and not options.show:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=1) + "\n")
        print(f"written: {options.json}")
    if options.write:
        print(f"written: {results.write(record)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
