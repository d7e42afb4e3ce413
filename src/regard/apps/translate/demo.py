"""The demonstration on real sentences: from wheels to a scored, visible translator."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import regard
from regard.apps.stamps import Stamp
from regard.apps.translate.catalogue_sources import (
    Language,
    download_wheels,
    packages_for,
    present_wheels,
)
from regard.apps.translate.catalogue_splits import save_split, split_messages
from regard.apps.translate.catalogues import read_catalogues
from regard.apps.translate.config import TranslateConfig
from regard.apps.translate.evaluation import Translation, Translator, evaluate
from regard.apps.translate.pairs import PairSet, read_pairs
from regard.apps.translate.report import write_translation_report
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.training import train

SPLITS = ("train", "dev", "test")
BEAM = 5
_REPORTED = 80

# Said on the terminal and in the page, in the reader's language.
LIMITS = {
    "en": (
        "What so small a corpus teaches: the words and phrases of user interfaces and "
        "error messages, where to put a placeholder, which word of the source a word "
        "comes from. What it cannot teach: everyday language, words it has not seen, "
        "long sentences, agreement across a clause. A sentence such as 'I have never "
        "been to Moscow.' comes out wrong. For that, train on your own pairs: "
        "regard train translate --pairs FILE --out FOLDER."
    ),
    "ru": (
        "Чему учит такой маленький корпус: словам и оборотам интерфейсов и "
        "сообщений об ошибках, месту подстановок, тому, из какого слова "
        "получилось слово. Чему он не научит: обыденной речи, незнакомым словам, "
        "длинным фразам, согласованию через всё предложение. Фраза вроде «Я "
        "никогда не был в Москве» выйдет неверно. Для этого учите на своих парах: "
        "regard train translate --pairs ФАЙЛ --out ПАПКА."
    ),
}


@dataclass(frozen=True)
class DemoSettings:
    """What is learnt, from how much, for how long."""

    language: str = "ru"
    minutes: float = 10.0
    dev: int = 300
    test: int = 500
    seed: int = 0

    def config(self) -> TranslateConfig:
        """Return the settings of the run: a small model for a small corpus."""
        return TranslateConfig.load(
            None,
            data={
                "source_vocabulary": 3000,
                "target_vocabulary": 3000,
                "bpe_dropout": 0.1,
            },
            model={"embedding": 192, "units": 192, "dropout": 0.4},
            training={"minutes": self.minutes, "seed": self.seed},
        )


class TranslateDemo:
    """Everything of one demonstration folder.

    Args:
        folder: where wheels, pairs, run and report lie.
        settings: the language and the budget.
        say: where the lines about the work go.
    """

    def __init__(
        self, folder: Path, settings: DemoSettings, say: Callable[[str], None] = print
    ):
        self.folder, self.settings, self.say = Path(folder), settings, say
        self.language = Language.of(settings.language)
        self.report = self.folder / f"report-{self.language.code}.html"
        self._pairs = {
            split: self.folder / "pairs" / self.language.code / f"{split}.tsv"
            for split in SPLITS
        }
        self._run = self.folder / f"en-{self.language.code}"

    def run(self) -> dict[str, Any]:
        """Make what is missing or out of date; return the scores."""
        pairs = self._make_pairs()
        read = {split: read_pairs(path) for split, path in self._pairs.items()}
        model = self._make_model(read, pairs.digest)
        return self._make_report(read["test"], model)

    def translate(self, texts: Sequence[str]) -> list[Translation]:
        """Translate with the model that was made."""
        return Translator.load(RunFolder.open(self._run)).translate(texts, beam=BEAM)

    def examples(self, count: int = 3) -> list[str]:
        """Return some held-out sources of middling length."""
        test = read_pairs(self._pairs["test"]).sources
        return [text for text in test if 4 <= len(text.split()) <= 9][:count]

    def _make_pairs(self) -> Stamp:
        packages, folder = packages_for(self.language), self.folder / "wheels"
        stamp = self._stamp_of_pairs(present_wheels(packages, folder))
        if not self._is_due(stamp, "pairs"):  # without asking the network
            return stamp
        wheels = download_wheels(packages, folder, self.say)
        stamp = self._stamp_of_pairs(wheels)
        with stamp.making():
            harvest = read_catalogues(wheels, self.language)
            self.say(harvest.report())
            settings = self.settings
            splits = split_messages(
                harvest.messages, settings.dev, settings.test, settings.seed
            )
            for split, messages in splits.items():
                save_split(self._pairs[split], messages)
        return stamp

    def _stamp_of_pairs(self, wheels: Sequence[Path]) -> Stamp:
        settings = self.settings
        made_from = {
            "wheels": [wheel.name for wheel in wheels],
            "splits": [settings.dev, settings.test, settings.seed],
            "regard": regard.__version__,
        }
        files = list(self._pairs.values())
        return Stamp(files[0].parent / "stamp.json", files, made_from)

    def _clear(self) -> None:
        """Make room for a new run; a folder that is not ours is left alone."""
        if not self._run.exists():
            return
        if any(self._run.iterdir()) and not (self._run / "stamp.json").is_file():
            raise ValueError(
                f"{self._run} holds files that are not of this demonstration. Choose "
                "another --out, or move them away."
            )
        shutil.rmtree(self._run)

    def _make_model(self, pairs: dict[str, PairSet], digest: str) -> Stamp:
        config = self.settings.config()
        made_from = {
            "pairs": digest,
            "settings": config.model_dump(),
            "regard": regard.__version__,
        }
        run = RunFolder(self._run)
        stamp = Stamp(self._run / "stamp.json", [run.best], made_from)
        if self._is_due(stamp, "model"):
            resume = stamp.stopped and run.last.is_file()
            if resume:
                self.say("model: going on from the last checkpoint")
            else:
                self._clear()
                RunFolder.create(self._run, config, pairs=pairs["train"].name)
            with stamp.making() as facts:
                started = time.monotonic()
                watched = pairs["dev"]
                if not train(run, pairs["train"], watched, self.say, resume):
                    raise KeyboardInterrupt  # it is saved: the next call goes on
                facts["seconds"] = round(time.monotonic() - started)
        return stamp

    def _make_report(self, test: PairSet, model: Stamp) -> dict[str, Any]:
        made_from = {"model": model.digest, "regard": regard.__version__}
        stamp = Stamp(
            self.folder / f"report-{self.language.code}.json", [self.report], made_from
        )
        if self._is_due(stamp, "scores and report"):
            with stamp.making() as facts:
                translator = Translator.load(RunFolder.open(self._run))
                scores = evaluate(translator, test, beam=BEAM)
                facts |= asdict(scores)
                facts.pop("translations", None)
                shown = PairSet(test.name, test.pairs[:_REPORTED])
                write_translation_report(
                    translator, shown, self.report, BEAM, facts=self._facts(facts)
                )
        return stamp.facts

    def _facts(self, scores: dict[str, Any]) -> dict[str, Any]:
        return {
            "task": f"English to {self.language.name}, messages of programs",
            **scores,
            "note": LIMITS["en"],
            "примечание": LIMITS["ru"],
        }

    def _is_due(self, stamp: Stamp, name: str) -> bool:
        reason = stamp.reason()
        self.say(f"{name}: making ({reason})" if reason else f"{name}: reused")
        return bool(reason)
