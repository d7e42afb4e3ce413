"""Compare every case of a folder of reference vectors with our layers.

    python tests/golden/check.py DIR [--backend jax|tensorflow|torch] [--json FILE]

One line per case; the last line counts them. Exits with 1 where a case fails, with 2
where the folder cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Judge every case of a folder; print, count, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"])
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    choose_backend(options.backend)
    from tests.golden.cases import read_index
    from tests.golden.judge import judge_entry

    verdicts = []
    try:
        for entry in read_index(options.folder):
            verdicts.append(judge_entry(options.folder, entry))
            print(verdicts[-1], flush=True)
        summary = counts(verdicts)
        if options.json:
            write(options.json, verdicts, summary)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(", ".join(f"{count} {name}" for name, count in summary.items()))
    return 1 if summary["failed"] else 0


def choose_backend(name: str | None) -> None:
    """Settle the backend before Keras is imported, and find the project."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ["KERAS_BACKEND"] = name or os.environ.get("KERAS_BACKEND") or "jax"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Hundreds of tiny programs, each run once: compile them quickly.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    if os.environ["KERAS_BACKEND"] != "jax" and find_spec("torch"):
        import torch  # noqa: F401  before TensorFlow: the other order can crash


def counts(verdicts) -> dict[str, int]:
    """How many cases ended how, in the words of the last line."""
    found = Counter(verdict.status for verdict in verdicts)
    return {
        "matched": found["matched"],
        "defects": found["defect"],
        "out of scope": found["out of scope"],
        "failed": found["FAILED"],
    }


def write(path: Path, verdicts, summary: dict[str, int]) -> None:
    """Everything that was printed, as JSON."""
    content = {
        "backend": os.environ["KERAS_BACKEND"],
        "summary": summary,
        "cases": [verdict.as_dict() for verdict in verdicts],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
