"""The steps of a card, computed on one row of a trace, in no language."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from regard.cards import Card, StepEntry
from regard.seeing.steps.check import Check
from regard.seeing.steps.checks import checked
from regard.seeing.steps.entries import Scoped, expanded
from regard.seeing.steps.expressions import computed, parsed
from regard.seeing.steps.facts import numbers_of
from regard.seeing.steps.group import Group
from regard.seeing.steps.groups import parameters_of, settings_group
from regard.seeing.steps.reads import asked_by, lacking, reads_of, shapes_of
from regard.seeing.steps.retelling import retellers
from regard.seeing.steps.sizes import Place
from regard.seeing.steps.terms import of_its_key, terms_of
from regard.seeing.steps.views import PER_KEY, names_of, reading
from regard.seeing.steps.writer import Writer
from regard.seeing.steps.written import written
from regard.trace import Trace

_READ = ("key", "source", "place", "feature")  # what scores and weights stand for
_VECTORS = ("query", "key", "value", "context")  # which layers of others may hide


@dataclass(frozen=True)
class Done:
    """One step computed: ``numbers`` is the formula of this row, in LaTeX.

    ``each``: whether the value has an entry for each of what the step is about;
    ``shapes``, ``check``, ``terms`` as of ``Step``; ``of_its_key`` tells whether these
    are scores that move with their keys, which costs computing them once more.
    """

    scoped: Scoped
    value: np.ndarray
    numbers: str
    each: bool
    shapes: Mapping[str, tuple[int, ...]]
    check: Check | None
    terms: Any
    of_its_key: Callable[[], bool]


@dataclass(frozen=True)
class Working:
    """A trace, what expressions may read of it, and the numbers of its row."""

    trace: Trace
    names: dict[str, Any]
    row: Mapping[str, Any]
    # Names of steps so far whose values stand one for each key, or each of what it is.
    alike: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def at(cls, trace: Trace, place: Place) -> "Working":
        """At one place."""
        names = {**names_of(trace, place), "p": parameters_of(trace, "")}
        return cls(trace, names, numbers_of(names))

    def steps(self, card: Card) -> Iterator[Done]:
        """One after another; each value is a name for the steps after it.

        What several steps give is compared with the record at the last of them.
        """
        scoped = list(self._applying(card))
        if not scoped:
            raise ValueError(
                "trace must hold what the mechanism's steps read. That of "
                f"{self.trace.mechanism!r} has no inputs; layer.trace(...) keeps them."
            )
        given = [(each.gives, each.below) for each in scoped]
        for number, each in enumerate(scoped):
            later = given[number] in given[number + 1 :]
            yield self._step(each, "" if later else each.entry.gives)

    def _applying(self, card: Card) -> Iterator[Scoped]:
        """The steps that apply; none that needs inputs or weights not there."""
        given = {"x": self.trace.inputs, "p": self.trace.parameters}
        missing = {name for name, group in given.items() if not group}
        missing |= {"pixels"} if "x" in missing else set()
        if self.trace.settings.get("whose") == "other":
            missing |= {n for n in _VECTORS if getattr(self.trace, n) is None}
        made = {f"made.{name}" for name in self.names["made"].values}
        for scoped in expanded(card.steps, self.trace.settings):
            entry = scoped.entry
            condition = reads_of(entry.when)
            known = not lacking(condition, missing, made)
            if entry.when and known and not self._holds(scoped, entry.when):
                continue  # another of this name may apply
            read = condition | reads_of(entry.by) | reads_of(entry.holds)
            if lacking(read, missing, made):
                missing.add(entry.name)
                continue
            missing.discard(entry.name)
            made.add(f"made.{entry.gives}")
            yield scoped

    def _holds(self, scoped: Scoped, condition: str) -> bool:
        """Before any step is computed, so nothing is read of what they come to."""
        early = asked_by(condition, scoped.reads, self.names)
        scoped = replace(scoped, reads=early)
        return bool(np.all(computed(parsed(condition), self._names(scoped))))

    def _names(self, scoped: Scoped) -> dict[str, Any]:
        """The names as a step reads them: settings and weights of its own layer."""
        names = {
            **reading(self.names, scoped.reads),
            "p": parameters_of(self.trace, scoped.below),
            "settings": settings_group(scoped.settings),
        }
        return names | retellers(self.trace, scoped, names)

    def _step(self, scoped: Scoped, gives: str) -> Done:
        entry, names = scoped.entry, self._names(scoped)
        try:
            value = np.asarray(computed(parsed(entry.by), names))
            check = checked(entry.holds, gives, value, names, self.trace)
        except Exception as problem:
            raise ValueError(
                f"step {entry.name!r} of {self.trace.mechanism!r} cannot be computed "
                f"from the trace: {problem}"
            ) from problem
        self.names[entry.name] = value
        if entry.gives:
            # A group of its own: this step is still written with what was before it.
            made = {**self.names["made"].values, entry.gives: value}
            self.names["made"] = Group("made", made)
        number = self.row["key_number"]
        each = bool(entry.each) and value.ndim > 0 and number < len(value)
        node = parsed(entry.by)
        scores = entry.gives == "scores" and each
        return Done(
            scoped,
            value,
            self._written(entry, value, names, each),
            each,
            {**shapes_of(node, names), "": value.shape},
            check,
            terms_of(node, names, number) if scores else None,
            lambda: scores and of_its_key(node, names, value),
        )

    def _written(
        self, entry: StepEntry, value: Any, names: Mapping[str, Any], each: bool
    ) -> str:
        """The formula with this row's numbers, then what came out."""
        keys = len(value) if each else 0
        own = PER_KEY if entry.each in _READ else frozenset()
        along = own | self.alike[entry.each]
        if each and value.dtype != bool:
            self.alike[entry.each].add(entry.name)
        key = self.row["key_number"] if each else None
        return written(entry, value, Writer(names, along, key, keys))
