"""One folder of reference vectors: its index and the arrays of each case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """What a package was given, and what it answered."""

    id: str
    constructor: dict[str, Any]
    call: dict[str, Any]
    main_output: str
    tolerance: dict[str, float]
    arrays: Arrays

    @property
    def name(self) -> str:
        """Package and class, without the variant: keras3.Attention."""
        return self.id.rsplit(".", 1)[0]

    def of(self, prefix: str) -> Arrays:
        """The arrays whose names start so: "in.", "w.", "out.", "grad."."""
        return {k: v for k, v in self.arrays.items() if k.startswith(prefix)}

    @property
    def given(self) -> Arrays:
        """Inputs and weights."""
        return self.of("in.") | self.of("w.")

    @property
    def expected(self) -> Arrays:
        """Outputs and gradients."""
        return self.of("out.") | self.of("grad.")


def input_of(gradient: str) -> str:
    """What a gradient is with respect to: grad.x -> in.x, grad.w.W -> w.W."""
    rest = gradient.removeprefix("grad.")
    return rest if rest.startswith("w.") else f"in.{rest}"


def read_index(folder: Path) -> list[dict[str, Any]]:
    """The entries of a folder's index.

    Raises:
        ValueError: where the folder holds no readable index.
    """
    path = folder / "index.json"
    if not path.is_file():
        raise ValueError(
            "DIR must be a folder of reference vectors with an index.json. Got "
            f"{folder}."
        )
    try:
        return json.loads(path.read_text("utf-8"))["cases"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} must be JSON with a list "cases": {error}.'
        ) from error


def read_case(folder: Path, entry: dict[str, Any]) -> Case:
    """One entry of the index with its arrays."""
    with np.load(folder / entry["file"]) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    return Case(
        entry["id"],
        entry.get("constructor") or {},
        entry.get("call") or {},
        entry["main_output"],
        entry["tolerance"],
        loaded,
    )
