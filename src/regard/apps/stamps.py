"""What may be reused: a stamp beside each product says what it was made from.

The stamp is written before the work (unfinished) and again after it, with digests of
the files. A run that was killed, a setting that changed and a file that was touched
are therefore all noticed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regard.files import write_atomically


class Stamp:
    """The record of one product: `made_from`, its files' digests, further facts.

    Args:
        path: the stamp's own file, JSON.
        files: what the work makes.
        made_from: plain values that decide what comes out: settings, versions, the
            `digest` of another stamp.
    """

    def __init__(self, path: Path, files: Sequence[Path], made_from: Mapping[str, Any]):
        self.path, self.files = path, list(files)
        # Through JSON and back, so that tuples compare equal to what was saved.
        self.made_from = json.loads(json.dumps(made_from))

    def reason(self) -> str:
        """Return why the product must be made (again), or nothing if it is good."""
        if not self.path.is_file():
            return "not made yet"
        content = self._content()
        if content is None:
            return "its stamp is damaged"
        if not content.get("finished"):
            return "an earlier run was stopped before it was finished"
        for name, value in self.made_from.items():
            before = content["made_from"].get(name)
            if before != value:
                return _changed(name, before, value)
        if content["made_from"].keys() - self.made_from.keys():
            return "it was made by another version"
        for file in self.files:
            if not file.is_file():
                return f"{file.name} is missing"
            if digest_of(file) != content["digests"].get(file.name):
                return f"{file.name} was changed since"
        return ""

    @property
    def stopped(self) -> bool:
        """True where the same work was begun and not finished: it may be resumed."""
        content = self._content()
        if content is None or content.get("finished"):
            return False
        return content["made_from"] == self.made_from

    @contextmanager
    def making(self) -> Iterator[dict[str, Any]]:
        """Mark the product unfinished until the block ends without an exception.

        The block may put further facts into the dictionary it is given.
        """
        facts: dict[str, Any] = {}
        self._write(finished=False)
        yield facts
        digests = {file.name: digest_of(file) for file in self.files}
        self._write(finished=True, digests=digests, facts=facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What `making` was told, empty where nothing was made."""
        return (self._content() or {}).get("facts", {})

    @property
    def digest(self) -> str:
        """One digest over all files, for the stamps of what is made from them."""
        whole = hashlib.sha256("".join(map(digest_of, self.files)).encode())
        return whole.hexdigest()[:16]

    def _content(self) -> dict[str, Any] | None:
        try:
            content = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        good = isinstance(content, dict) and isinstance(content.get("made_from"), dict)
        return content if good else None

    def _write(self, **content: Any) -> None:
        content = {"made_from": self.made_from, **content}
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        write_atomically(self.path, text)


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, shortened."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _changed(name: str, before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in now if before.get(key) != now[key]]
        if keys:
            return _changed(f"{name}.{keys[0]}", before.get(keys[0]), now[keys[0]])
    return f"{name} was {before!r} and is {now!r}"
