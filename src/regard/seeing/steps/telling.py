"""The steps of a card, computed on one row of a trace."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from regard.cards import Card, StepEntry
from regard.seeing.steps.checks import checked
from regard.seeing.steps.entries import Scoped, expanded
from regard.seeing.steps.expressions import Group, chosen, computed, parsed
from regard.seeing.steps.facts import facts_of
from regard.seeing.steps.groups import parameters_of, settings_group
from regard.seeing.steps.normalizing import normalizer_of
from regard.seeing.steps.numbers import EVALUATED, Writer, shown_result
from regard.seeing.steps.phrases import phrases
from regard.seeing.steps.sizes import Place
from regard.seeing.steps.step import Step
from regard.seeing.steps.terms import terms_of
from regard.seeing.steps.views import names_of, per_key_names, reading
from regard.trace import Trace

_LISTED = 12  # keys that are seen, by number


@dataclass(frozen=True)
class Telling:
    """A trace, what expressions may read of it, and what sentences say."""

    trace: Trace
    names: dict[str, Any]
    facts: Mapping[str, Any]
    language: str
    # Names of steps so far whose values stand one for each key, or each of what it is.
    alike: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(
        cls,
        trace: Trace,
        place: Place,
        tokens: tuple[Sequence[str] | None, ...],
        language: str,
    ) -> "Telling":
        """At one place, with the tokens of queries and keys where they are known."""
        names = {**names_of(trace, place), "p": parameters_of(trace, "")}
        return cls(trace, names, facts_of(names, tokens, language), language)

    def steps(self, card: Card) -> Iterator[Step]:
        """One after another; each value is a name for the steps after it.

        What several steps give is compared with the record at the last of them.
        """
        scoped = list(self._told(card))
        if not scoped:
            raise ValueError(
                "trace must hold what the mechanism's steps read. That of "
                f"{self.trace.mechanism!r} has no inputs; layer.trace(...) keeps them."
            )
        given = [(each.gives, each.below) for each in scoped]
        for number, each in enumerate(scoped):
            later = given[number] in given[number + 1 :]
            yield self._step(each, "" if later else each.entry.gives)

    def _told(self, card: Card) -> Iterator[Scoped]:
        """The steps that apply; none that needs inputs or weights not there."""
        given = {"x": self.trace.inputs, "p": self.trace.parameters}
        missing = {name for name, group in given.items() if not group}
        missing |= {"pixels"} if "x" in missing else set()
        made = {f"made.{name}" for name in self.names["made"].values}
        for scoped in expanded(card.steps, self.trace.settings):
            entry = scoped.entry
            condition = _reads(entry.when)
            known = not _lacking(condition, missing, made)
            if entry.when and known and not self._holds(scoped, entry.when):
                continue  # another of this name may apply
            read = condition | _reads(entry.by) | _reads(entry.holds)
            if _lacking(read, missing, made):
                missing.add(entry.name)
                continue
            missing.discard(entry.name)
            made.add(f"made.{entry.gives}")
            yield scoped

    def _holds(self, scoped: Scoped, condition: str) -> bool:
        """Before any step is computed, so nothing is read of what they come to."""
        early = {n: by for n, by in scoped.reads.items() if _reads(by) <= {*self.names}}
        scoped = replace(scoped, reads=early)
        return bool(np.all(computed(parsed(condition), self._names(scoped))))

    def _names(self, scoped: Scoped) -> dict[str, Any]:
        """The names as a step reads them: settings and weights of its own layer."""
        names = {
            **reading(self.names, scoped.reads),
            "p": parameters_of(self.trace, scoped.below),
            "settings": settings_group(scoped.settings),
        }
        return {**names, "normalized": normalizer_of(self.trace, scoped, names)}

    def _step(self, scoped: Scoped, gives: str) -> Step:
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
        title, sentence = entry.words[self.language]
        each = self._each_of(entry.each, value)
        return Step(
            entry.name,
            title,
            sentence.format(**self._said(scoped.settings), **self.facts),
            entry.formula,
            self._written(entry, value, names, bool(each)),
            "" if value.dtype == bool else each,
            entry.gives,
            {**_shapes(parsed(entry.by), names), "": value.shape},
            value,
            check,
            self._terms(entry, names) if entry.gives == "scores" and each else None,
        )

    def _terms(self, entry: StepEntry, names: Mapping[str, Any]) -> Any:
        return terms_of(parsed(entry.by), names, self.facts["key_number"])

    def _said(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as sentences name them: 2 for 2.0, in Russian 1,5 for 1.5."""
        comma = "," if self.language == "ru" else "."
        return {
            name: f"{each:g}".replace(".", comma) if isinstance(each, float) else each
            for name, each in settings.items()
            if name not in self.facts
        }

    def _each_of(self, kind: str, value: np.ndarray) -> str:
        """Which of a step's values is written out: the strongest key's, by its kind."""
        number = self.facts["key_number"]
        if not kind or value.ndim == 0 or number >= len(value):
            return ""
        if kind == "key":
            return self.facts["key"]
        return phrases(self.language)[f"of {kind}"].format(name=number)

    def _written(
        self, entry: StepEntry, value: Any, names: Mapping[str, Any], each: bool
    ) -> str:
        """The formula with this row's numbers, then what came out."""
        if value.dtype == bool:
            return _numbered(value)
        key = self.facts["key_number"] if each else None
        keys = len(value) if each else 0
        along = (
            per_key_names(names, keys, entry.each in ("key", "source"))
            | self.alike[entry.each]
        )
        writer = Writer(names, along, key, keys)
        if each:
            self.alike[entry.each].add(entry.name)
        node = parsed(entry.by)
        result = shown_result(value if key is None else value[key], entry.name)
        text = writer.write(node)
        plain = r"(\dots)" in text or (each and isinstance(node, ast.Subscript))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            told = node.func.id != "where" or key is None
            plain = plain or (told and node.func.id in EVALUATED)
        return result if plain or text == result else f"{text} = {result}"


def _numbered(value: np.ndarray) -> str:
    """Which keys are seen, by number."""
    found = [str(number) for number in np.flatnonzero(value)]
    more = [r"\dots"] if len(found) > _LISTED else []
    return f"j = {', '.join(found[:_LISTED] + more)}" if value.ndim and found else ""


def _lacking(read: set[str], missing: set[str], made: set[str]) -> bool:
    """Whether something of this is not there."""
    return bool(missing & read or {n for n in read if n.startswith("made.")} - made)


def _reads(expression: str) -> set[str]:
    """The names an expression begins with, and what of earlier steps it reads."""
    if not expression:
        return set()
    nodes = list(ast.walk(parsed(expression)))
    names = {each.id for each in nodes if isinstance(each, ast.Name)}
    read = {ast.unparse(each) for each in nodes if isinstance(each, ast.Attribute)}
    return names | {each for each in read if each.startswith("made.")}


def _shapes(
    node: ast.AST, names: Mapping[str, Any], found: dict | None = None
) -> dict[str, tuple[int, ...]]:
    """The arrays an expression reads, by their last name."""
    found = {} if found is None else found
    if isinstance(node, ast.Lambda):
        return found
    if isinstance(node, ast.IfExp):
        return _shapes(chosen(node, names), names, found)
    if isinstance(node, (ast.Name, ast.Attribute)):
        value = computed(node, names)
        if isinstance(value, np.ndarray) and value.ndim:
            name = ast.unparse(node).rpartition(".")[2]
            found[name.rpartition("__")[2]] = value.shape
        return found
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (
            isinstance(node, ast.Call) and child is node.func
        ):
            _shapes(child, names, found)
    return found
