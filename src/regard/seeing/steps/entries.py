"""Which steps explain a trace: its mechanism's, its parts', and those all share.

A mechanism's card lists its own steps and says with ``use`` where others come in:

- ``use = "attend"``: from scores to context, with position, mask and normalizer;
- ``use = "score"``, ``"mask"``, ``"normalizer"``, ``"weigh"``, ``"read"``: one part of
  these, where a mechanism has something between them;
- ``use = "place"``: what the position does to queries and keys before they meet;
- ``use = "<name>"``: the steps of the part or layer in the setting of that name, which
  read the weights below that path; nothing where the setting is empty;
- ``use = "<group>"``: a group of ``shared.toml`` or ``walks.toml``;
- ``use = "<card>"``: the steps of another card.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from regard.cards import Card, StepEntry, card, cards, names
from regard.seeing.steps.scopes import scopes_of, taken_apart

# When the steps of a position come, by what they give.
_PHASES = {"query": "place", "key": "place", "value": "place"}
_ATTEND = ("score", "mask", "normalizer", "weigh", "read")


@dataclass(frozen=True)
class Scoped:
    """A step with the settings and the path of weights it reads, and names of its own.

    ``reads`` are expressions for names that mean something else to it.
    """

    entry: StepEntry
    settings: Mapping[str, Any]
    below: str = ""
    reads: Mapping[str, str] = field(default_factory=dict)

    @property
    def gives(self) -> str:
        """What of the trace it must equal."""
        return self.reads.get(self.entry.gives, self.entry.gives)


@cache
def shared() -> Mapping[str, tuple[StepEntry, ...]]:
    """The groups of steps that many mechanisms have, of all files here."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for file in files(__package__).iterdir():
        if file.name.endswith(".toml"):
            groups |= tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: tuple(map(StepEntry.read, given)) for name, given in groups.items()}


@cache
def card_of_class(name: str) -> Card | None:
    """The card whose class has this name."""
    found = (each for each in cards() if each.path.rpartition(".")[2] == name)
    return next(found, None)


def expanded(
    entries: tuple[StepEntry, ...], settings: Mapping[str, Any], below: str = ""
) -> Iterator[Scoped]:
    """The steps with all others that they use in their places."""
    for entry in entries:
        if not entry.use:
            yield Scoped(entry, settings, below)
            continue
        for scoped in _used(entry.use, settings, f"{below}/{entry.below}".strip("/")):
            if not entry.only or scoped.entry.name in entry.only:
                reads = {**entry.reads, **scoped.reads}
                told = scoped.entry.also_when(entry.when)
                each = entry.each if told.each else ""
                told = replace(told, each=each or told.each)
                yield replace(scoped, entry=told, reads=reads)


def _used(name: str, settings: Mapping[str, Any], below: str) -> Iterator[Scoped]:
    if name == "attend":
        for phase in _ATTEND:
            yield from _phase(phase, settings, below)
    elif name == "place" or name in _ATTEND:
        yield from _phase(name, settings, below)
    elif name in shared():
        yield from expanded(shared()[name], settings, below)
    elif name in names() and name not in settings:
        yield from expanded(card(name).steps, settings, below)
    else:
        yield from _inside(name, settings, below)


def _phase(phase: str, settings: Mapping[str, Any], below: str) -> Iterator[Scoped]:
    """What comes between two arrays of the trace."""
    if phase == "normalizer":
        for scoped in _inside(phase, settings, below):
            yield replace(scoped, entry=scoped.entry.also_when("any(mask)"))
        yield from expanded(shared()["unseen"], settings, below)
        for scoped in expanded(shared()["no_keys"], settings, below):
            yield replace(scoped, entry=scoped.entry.also_when("not any(mask)"))
    if phase == "mask":
        yield from _scopes(settings, below)
    yield from expanded(shared().get(phase, ()), settings, below)
    for scoped in _inside("position", settings, below):
        if _phase_of(scoped.entry) == phase:
            yield scoped


def _scopes(settings: Mapping[str, Any], below: str) -> Iterator[Scoped]:
    """What hides pairs by their places, each cause where the trace has it."""
    for cause, part in scopes_of(settings).items():
        for scoped in _scope(part, settings, below):
            entry = scoped.entry.also_when(f"given(masks, {cause!r}, None) is not None")
            if cause == "causal":  # of a cache its own steps tell
                entry = entry.also_when("given(whole, 'key_positions', None) is None")
            gives = f"masks.{cause}" if entry.gives else ""
            yield replace(scoped, entry=replace(entry, gives=gives))


def _scope(part: Any, settings: Mapping[str, Any], below: str) -> Iterator[Scoped]:
    """The steps of a scope; of several their own, then what joins them."""
    leaves, joined = taken_apart(part)
    if len(leaves) == 1 and joined == "{0}":
        yield from _inside("scope", {**settings, "scope": part}, below)
        return
    found = []
    for number, leaf in enumerate(leaves):
        steps = list(_inside("scope", {**settings, "scope": leaf}, below))
        if not steps:  # a scope of the reader's own
            return
        last = steps[-1].entry.name
        found.append(f"{last}_{number}")
        for step in steps:
            name = found[-1] if step.entry.name == last else step.entry.name
            yield replace(step, entry=replace(step.entry, gives="", name=name))
    (entry,) = shared()["scopes_joined"]
    yield Scoped(replace(entry, by=joined.format(*found)), settings, below)


def _phase_of(entry: StepEntry) -> str:
    """The name of a step of a position says where it belongs: ``place: angles``."""
    given = {"scores": "score", "weights": "weigh", "context": "read"}
    phase, colon, _ = entry.name.partition("__")
    if colon:
        return phase
    return {**_PHASES, **given}.get(entry.gives, "score")


def _inside(name: str, settings: Mapping[str, Any], below: str) -> Iterator[Scoped]:
    """The steps of a part or of a layer within."""
    part = settings.get(name)
    if not isinstance(part, Mapping) or "class_name" not in part:
        return
    kind = part["class_name"].rpartition(">")[2]
    inner = {**(part.get("config") or {}), "class_name": part["class_name"]}
    inner = {"whose": "regard", **inner}  # Keras' own hold no layers of attention
    if kind == "Together":
        for side in ("first", "second"):
            yield from _inside(side, {**settings, **inner}, below)
        return
    card = card_of_class(kind)
    if card is None:
        return
    is_layer = "dtype" in inner
    path = f"{below}/{inner.get('name', name)}".strip("/") if is_layer else below
    yield from expanded(card.steps, inner if is_layer else {**settings, **inner}, path)
