"""A trained model of dates, ready to read: texts in, ISO dates and attention out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from regard.apps.dates.characters import Characters
from regard.files import atomic_path
from regard.models.search import Search, Searcher
from regard.reports.record import AttentionRecord

ISO_CHARACTERS = "-0123456789"
ISO_LENGTH = len("2026-03-05")
MAX_CHARACTERS = 47
_ROWS = 256  # one shape for every call, so that the search compiles once


@dataclass(frozen=True)
class Reading:
    """A text, what the model read in it, and where it looked for each character.

    `weights` is (characters of `iso`, characters of `text`); what the end mark of the
    text got is left out.
    """

    text: str
    iso: str
    weights: np.ndarray

    def record(self) -> AttentionRecord:
        """Return the alignment for reports and for the terminal."""
        return AttentionRecord(
            weights=self.weights,
            query_tokens=list(self.iso),
            key_tokens=list(self.text),
        )


class DateReader:
    """Greedy decoding of dates with one model.

    Args:
        model: a `Seq2Seq` over characters.
        source: the characters of the texts.
    """

    def __init__(self, model: Any, source: Characters):
        self.model, self.source = model, source
        self.target = Characters(ISO_CHARACTERS)
        self._search = Searcher(model, Search(beam=1, max_length=ISO_LENGTH + 1))

    @classmethod
    def load(cls, path: Path, characters: str) -> "DateReader":
        """Load a saved model and the characters it knows."""
        return cls(keras.models.load_model(path), Characters(characters))

    def save(self, path: Path) -> None:
        """Save the model; `source.characters` is kept by the caller."""
        with atomic_path(path) as temporary:
            self.model.save(temporary)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Read dates. Raises ValueError for a text that is too long or empty."""
        for text in texts:
            if not 0 < len(text) <= MAX_CHARACTERS:
                raise ValueError(
                    f"a date must have 1 to {MAX_CHARACTERS} characters. "
                    f"Got {len(text)}: {text!r}."
                )
        readings: list[Reading] = []
        for start in range(0, len(texts), _ROWS):
            readings += self._read_rows(texts[start : start + _ROWS])
        return readings

    def exact_match(self, texts: Sequence[str], isos: Sequence[str]) -> float:
        """Return the share of texts that are read rightly, to the last character."""
        pairs = zip(self.read(texts), isos, strict=True)
        return sum(reading.iso == iso for reading, iso in pairs) / len(isos)

    def _read_rows(self, texts: Sequence[str]) -> list[Reading]:
        filled = [*texts, *[""] * (_ROWS - len(texts))]
        found = self._search(self.source.pad(filled, MAX_CHARACTERS + 1))
        readings = []
        for row, text in enumerate(texts):
            iso = self.target.decode(found.ids[row, 0].tolist())
            weights = found.alignments[row, 0].mean(axis=0)
            readings.append(Reading(text, iso, weights[: len(iso), : len(text)]))
        return readings
