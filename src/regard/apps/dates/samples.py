"""Examples for learning: texts with their ISO dates, days apart between the splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from regard.apps.dates.formats import WAYS, ambiguous_ways, write_date

SPLITS = ("train", "dev", "test")
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2049, 12, 31)


class Sample(NamedTuple):
    """A date as somebody wrote it; `iso` is what it means."""

    text: str
    iso: str
    locale: str
    format: str


@dataclass(frozen=True)
class SampleSettings:
    """How many examples of each split, and the seed that draws them."""

    train: int = 24000
    dev: int = 1000
    test: int = 3000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in SPLITS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive. Got {getattr(self, name)}.")


def draw_samples(settings: SampleSettings) -> dict[str, list[Sample]]:
    """Return the samples of each split; the same settings draw the same ones.

    Each calendar day belongs to one split: a model cannot know a test day by heart.
    """
    random = np.random.default_rng(settings.seed)
    days = [
        FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)
    ]
    mixed = [days[n] for n in random.permutation(len(days))]
    tenth = len(days) // 10
    parts = {
        "test": mixed[:tenth],
        "dev": mixed[tenth : 2 * tenth],
        "train": mixed[2 * tenth :],
    }
    return {
        split: _draw(parts[split], getattr(settings, split), random) for split in SPLITS
    }


def save_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write one sample a line: text, ISO date, locale and format between tabs."""
    lines = ("\t".join(sample) + "\n" for sample in samples)
    path.write_text("".join(lines), "utf-8", newline="\n")


def load_samples(path: Path) -> list[Sample]:
    """Read what `save_samples` wrote. Raises ValueError on anything else."""
    samples = []
    lines = path.read_text("utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) != len(Sample._fields):
            raise ValueError(
                f"{path}:{number}: a sample must have {len(Sample._fields)} columns. "
                f"Got {len(fields)}."
            )
        samples.append(Sample(*fields))
    return samples


def _draw(
    days: Sequence[date], count: int, random: np.random.Generator
) -> list[Sample]:
    samples: list[Sample] = []
    unclear = ambiguous_ways()
    while len(samples) < count:
        day = days[int(random.integers(len(days)))]
        way = WAYS[int(random.integers(len(WAYS)))]
        lower = random.random() < 0.5  # people do not always press Shift
        if (way, day.month, day.day) in unclear:
            continue
        text = write_date(day, way)
        text = text.lower() if lower else text
        samples.append(Sample(text, day.isoformat(), *way))
    return samples
