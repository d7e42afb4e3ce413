"""A run folder: everything that is needed to load, resume and judge a model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regard.apps.translate.config import TrainingSettings, TranslateConfig
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.files import atomic_path, write_atomically

FORMAT = 1
_CONFIG = "config.json"


class RunFolder:
    """The files of one run.

    - `config.json`: settings, where the pairs came from, the format's number;
    - `source.tokenizer.json`, `target.tokenizer.json`;
    - `metrics.jsonl`: one JSON object for each step or check;
    - `last.keras`, `best.keras`: checkpoints; see `checkpoint`.

    `RunFolder.create` begins one, `RunFolder.open` finds one.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.metrics = self.path / "metrics.jsonl"
        self.last = self.path / "last.keras"
        self.best = self.path / "best.keras"

    @classmethod
    def create(
        cls, path: str | Path, config: TranslateConfig, **facts: Any
    ) -> "RunFolder":
        """Begin a run in a new or empty folder.

        Args:
            path: the folder.
            config: the settings of the run.
            facts: what else is worth keeping, such as the files of the pairs.

        Raises:
            ValueError: the path is a file, or a folder that holds something or that
                nothing can be written into.
        """
        folder = cls(path)
        if folder.path.exists() and not folder.path.is_dir():
            raise ValueError(f"{path}: a folder is needed here, but it is a file.")
        if (folder.path / _CONFIG).exists():
            raise ValueError(
                f"{path}: this run exists already. Continue it with --resume, or "
                "choose another --out."
            )
        if folder.path.is_dir() and any(folder.path.glob("[!.]*")):
            raise ValueError(
                f"{path}: the folder is not empty and is not a run. Choose another "
                "--out."
            )
        content = {"format": FORMAT, "task": "translate", **facts}
        folder._write_facts({**content, "settings": config.model_dump()})
        return folder

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Find an existing run. Raises ValueError that says what is missing."""
        folder = cls(path)
        if not folder.path.is_dir():
            raise ValueError(f"{path}: no such run folder.")
        if not (folder.path / _CONFIG).is_file():
            raise ValueError(f"{path}: not a run folder: it has no {_CONFIG}.")
        content = folder.facts()
        if content.get("format") != FORMAT or "settings" not in content:
            raise ValueError(
                f"{path}: {_CONFIG} must have format {FORMAT} and settings. "
                f"Got format {content.get('format')!r}."
            )
        return folder

    def facts(self) -> dict[str, Any]:
        """Return all of `config.json`."""
        try:
            content = json.loads((self.path / _CONFIG).read_text("utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.path / _CONFIG}: damaged: {error}") from None
        return content if isinstance(content, dict) else {}

    def _write_facts(self, content: dict[str, Any]) -> None:
        try:
            write_atomically(self.path / _CONFIG, _json(content))
        except OSError as error:
            raise ValueError(
                f"--out must be a folder that can be written into, and {self.path} "
                f"cannot ({error.strerror}). Allow it, or choose another --out."
            ) from error

    def lengthen(self, training: TrainingSettings) -> None:
        """Go on with another budget than the run began with."""
        settings = self.config().model_copy(update={"training": training})
        self._write_facts({**self.facts(), "settings": settings.model_dump()})

    def config(self) -> TranslateConfig:
        return TranslateConfig.of(self.facts()["settings"], str(self.path / _CONFIG))

    def save_tokenizers(
        self, source: SubwordTokenizer, target: SubwordTokenizer
    ) -> None:
        for side, tokenizer in (("source", source), ("target", target)):
            write_atomically(self._tokenizer(side), tokenizer.to_json())

    def tokenizers(self) -> tuple[SubwordTokenizer, SubwordTokenizer]:
        """Load the source's and the target's tokenizer."""
        found = []
        for side in ("source", "target"):
            path = self._tokenizer(side)
            if not path.is_file():
                raise ValueError(
                    f"{self.path}: the run has no {path.name}; it stopped before its "
                    "first checkpoint. Train again into a new folder."
                )
            try:
                found.append(SubwordTokenizer.from_json(path.read_text("utf-8")))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        return found[0], found[1]

    def checkpoint(self, best: bool = True) -> Path:
        """Return the best checkpoint, or the last one where there is no best."""
        for path in (self.best, self.last) if best else (self.last,):
            if path.is_file():
                return path
        raise ValueError(f"{self.path}: the run holds no checkpoint yet.")

    def save(self, path: Path, write: Callable[[Path], None]) -> None:
        """Let `write` make a file that takes the place of `path` in one step."""
        with atomic_path(path) as temporary:
            write(temporary)

    def log(self, **values: Any) -> None:
        """Append one line to the metrics."""
        with self.metrics.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(values, ensure_ascii=False) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return all whole lines of the metrics; a torn last line is left out."""
        if not self.metrics.is_file():
            return []
        found = []
        for line in self.metrics.read_text("utf-8", errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return found

    def rewind_metrics(self, step: int) -> None:
        """Drop the lines after `step`, which a resumed run is about to repeat."""
        kept = [line for line in self.read_metrics() if line.get("step", 0) <= step]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
        write_atomically(self.metrics, text)

    def _tokenizer(self, side: str) -> Path:
        return self.path / f"{side}.tokenizer.json"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
