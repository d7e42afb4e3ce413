"""What is kept of a model at a step of its training, and its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from regard.seeing.array_files import Arrays, read, write
from regard.trace import Trace

Masks = dict[str, dict[str, np.ndarray]]  # layer -> cause -> mask


@dataclass(frozen=True)
class Snapshot:
    """A step, weights (B, H, T, S) and masks by layer, and numbers by name."""

    step: int
    weights: dict[str, np.ndarray]
    numbers: dict[str, float]
    masks: Masks = field(default_factory=dict)


def shared_masks(before: Sequence[Snapshot], traces: Mapping[str, Trace]) -> Masks:
    """Each layer's masks, those of the last snapshot where they are the same."""
    known = before[-1].masks if before else {}

    def same(name: str, cause: str, mask: np.ndarray) -> np.ndarray:
        kept = known.get(name, {}).get(cause)
        return mask if kept is None or not np.array_equal(kept, mask) else kept

    return {
        name: {cause: same(name, cause, mask) for cause, mask in trace.masks.items()}
        for name, trace in traces.items()
    }


def write_snapshots(
    path: str | Path, kept: Sequence[Snapshot], lines: Mapping[str, np.ndarray]
) -> Path:
    """Snapshots, and their numbers as lines, as one ``.npz`` file."""
    arrays = Arrays()
    index = {
        "snapshots": [
            {
                "step": each.step,
                "weights": arrays.stored(each.weights),
                "masks": {name: arrays.stored(m) for name, m in each.masks.items()},
            }
            for each in kept
        ],
        "lines": arrays.stored(lines),
    }
    return write(path, index, arrays)


def read_snapshots(path: str | Path) -> list[Snapshot]:
    """What ``write_snapshots`` wrote.

    Raises:
        ValueError: where the file holds something else.
    """
    return read(path, "snapshots", _snapshots)


def _snapshots(index: dict[str, Any], arrays: list[Any]) -> list[Snapshot]:
    def found(places: Mapping[str, int]) -> dict[str, Any]:
        return {name: arrays[place] for name, place in places.items()}

    lines = found(index["lines"])
    return [
        Snapshot(
            each["step"],
            found(each["weights"]),
            {name: float(line[place]) for name, line in lines.items()},
            {name: found(masks) for name, masks in each["masks"].items()},
        )
        for place, each in enumerate(index["snapshots"])
    ]
