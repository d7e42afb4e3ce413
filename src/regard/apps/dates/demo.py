"""The demonstration: data, model and report in one folder, each reused if it may be."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import babel
import keras

import regard
from regard.apps.dates.formats import FORMATS, LOCALES
from regard.apps.dates.reader import DateReader, Reading
from regard.apps.dates.recipe import Progress, Recipe, train
from regard.apps.dates.samples import (
    SPLITS,
    Sample,
    SampleSettings,
    draw_samples,
    load_samples,
    save_samples,
)
from regard.apps.progress import progress_bar
from regard.apps.stamps import Stamp
from regard.cards.typography import SPACE, numeral
from regard.reports import Example, write_report

GOAL = 0.995
_REPORTED = 60
_LANGUAGES_SHOWN = ("ru", "en", "fr")

Say = Callable[[str], None]


class DatesDemo:
    """Everything of one demonstration folder.

    Args:
        folder: where data, model and report lie.
        settings: what is drawn.
        recipe: how it is learnt.
        say: where the lines about the work go.
    """

    def __init__(
        self,
        folder: Path,
        settings: SampleSettings | None = None,
        recipe: Recipe | None = None,
        say: Say = print,
    ):
        self.folder, self.say = Path(folder), say
        self.settings, self.recipe = settings or SampleSettings(), recipe or Recipe()
        self.report = self.folder / "report.html"
        self._model = self.folder / "model.keras"
        self._splits = {s: self.folder / "data" / f"{s}.tsv" for s in SPLITS}

    def run(self) -> tuple[DateReader, dict[str, Any]]:
        """Make what is missing or out of date; return the reader and its scores."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"{self.folder}: a folder is needed here; it is a file.")
        data = self._make_data()
        samples = {split: load_samples(path) for split, path in self._splits.items()}
        model, reader = self._make_model(samples, data.digest)
        self._make_report(reader, samples["test"], model)
        return reader, model.facts

    def examples(self, reader: DateReader) -> list[Reading]:
        """Return one held-out reading in each of three languages."""
        test = load_samples(self._splits["test"])
        chosen = [
            next(s for s in test if s.format == "full" and s.locale[:2] == language)
            for language in _LANGUAGES_SHOWN
        ]
        return reader.read([sample.text for sample in chosen])

    def _make_data(self) -> Stamp:
        made_from = {
            "samples": asdict(self.settings),
            "locales": LOCALES,
            "formats": FORMATS,
            "babel": babel.__version__,
        }
        files = list(self._splits.values())
        stamp = Stamp(self.folder / "data" / "stamp.json", files, made_from)
        count = sum(asdict(self.settings)[split] for split in SPLITS)
        if self._is_due(stamp, f"data ({count:,} dates)"):
            with stamp.making():
                for split, samples in draw_samples(self.settings).items():
                    save_samples(self._splits[split], samples)
        return stamp

    def _make_model(
        self, samples: dict[str, list[Sample]], data: str
    ) -> tuple[Stamp, DateReader]:
        made_from = {
            "data": data,
            "recipe": asdict(self.recipe),
            "regard": regard.__version__,
        }
        stamp = Stamp(self.folder / "model.json", [self._model], made_from)
        if not self._is_due(stamp, "model"):
            characters = stamp.facts["characters"]
            return stamp, DateReader.load(self._model, characters)
        with stamp.making() as facts:
            started = time.monotonic()
            reader, learnt = self._train(samples)
            facts["characters"] = reader.source.characters
            facts["training_seconds"] = round(time.monotonic() - started, 1)
            facts["characters_learnt"] = learnt
            texts, isos = _sides(samples["test"])
            started = time.monotonic()
            facts["exact_match"] = reader.exact_match(texts, isos)
            facts["reading_seconds"] = round(time.monotonic() - started, 3)
            facts["characters_read"] = sum(map(len, isos))
            facts["held_out"] = len(texts)
            facts["parameters"] = reader.model.count_params()
            facts["backend"] = keras.backend.backend()
            reader.save(self._model)
        return stamp, reader

    def _train(self, samples: dict[str, list[Sample]]) -> tuple[DateReader, int]:
        """The reader, and how many characters of dates it learnt."""
        learnt = 0
        with progress_bar("training") as bar:

            def tell(progress: Progress) -> None:
                nonlocal learnt
                learnt = progress.characters
                note = f"epoch {progress.epoch + 1}, loss {progress.loss:.4f}"
                bar(progress.share, note)
                if progress.exact is not None:
                    exact = 100 * progress.exact
                    self.say(f"  {note}: {exact:.1f} % of the dev dates read exactly")

            return train(samples, self.recipe, tell), learnt

    def _make_report(
        self, reader: DateReader, test: Sequence[Sample], model: Stamp
    ) -> None:
        made_from = {"model": model.digest, "regard": regard.__version__}
        stamp = Stamp(self.folder / "report.json", [self.report], made_from)
        if self._is_due(stamp, "report"):
            with stamp.making():
                samples = list(test[:_REPORTED])
                readings = reader.read([sample.text for sample in samples])
                pairs = zip(samples, readings, strict=True)
                write_report(
                    [_example(sample, reading) for sample, reading in pairs],
                    self.report,
                    title="Dates, and where the model looked",
                    facts=_facts(model.facts),
                )

    def _is_due(self, stamp: Stamp, name: str) -> bool:
        reason = stamp.reason()
        self.say(f"{name}: making ({reason})" if reason else f"{name}: reused")
        return bool(reason)


def _example(sample: Sample, reading: Reading) -> Example:
    return Example(
        source=sample.text,
        output=reading.iso,
        references=sample.iso,
        scores={"exact match": float(reading.iso == sample.iso)},
        attention=reading.record(),
        source_language=sample.locale.split("_")[0],
    )


def _facts(facts: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For the header of the page, in both of its languages."""
    exact, seconds = (
        f"{100 * facts['exact_match']:.2f}",
        f"{facts['training_seconds']}",
    )
    parameters, held_out = (f"{facts[name]:,}" for name in ("parameters", "held_out"))
    return {
        "en": {
            "task": "dates as people write them to ISO 8601: "
            f"{len(LOCALES)} locales, {len(FORMATS)} formats",
            "model": "bidirectional GRU, additive attention, GRU, over characters",
            "parameters": parameters,
            "exact match": f"{exact} % of {held_out} held-out dates, greedy",
            "training": f"{seconds} s on {facts['backend']}",
        },
        "ru": {
            "задача": "даты, как их пишут люди, — в ISO 8601; "
            f"локалей: {len(LOCALES)}, форматов: {len(FORMATS)}",
            "модель": "двунаправленная GRU, аддитивное внимание, GRU, по символам",
            "параметры": parameters.replace(",", SPACE),
            "точное совпадение": f"{numeral(exact, 'ru')} %; отложенных дат: "
            f"{held_out.replace(',', SPACE)}, жадный поиск",
            "обучение": f"{numeral(seconds, 'ru')} с, бэкенд {facts['backend']}",
        },
    }


def _sides(samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    return [sample.text for sample in samples], [sample.iso for sample in samples]
