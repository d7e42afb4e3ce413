"""How one number of a trace came about: words, formulas, numbers, checks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regard.cards.equations import unicode_equation
from regard.cards.typography import numeral
from regard.seeing.steps.check import Check
from regard.seeing.steps.phrases import phrases

__all__ = ["Check", "Step", "Steps"]

FEW = 5  # terms of a sum that are written out


@dataclass(frozen=True)
class Step:
    """One step: ``formula`` and ``numbers`` in LaTeX, the same with this row's numbers.

    Where there is a value for each key, ``numbers`` are those of the key ``of``.
    ``gives`` is the array of the trace that this step makes; ``terms`` what is added up
    in a score, entry by entry, of the key ``of``.
    ``value`` is what was computed, ``shapes`` what it was computed from and, under no
    name, its own.
    """

    name: str
    title: str
    sentence: str
    formula: str = ""
    numbers: str = ""
    of: str = ""
    gives: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    value: Any = None
    check: Check | None = None
    terms: Any = None

    def text(self, number: int, language: str) -> str:
        """The step as lines of text."""
        words = phrases(language)
        lines = [f"{number}. {self.title}", f"   {self.sentence}"]
        before = f"{words['for']} {self.of}:  " if self.of else ""
        for start, latex in (("", self.formula), (before, self.numbers)):
            if latex:
                lines.append("     " + start + unicode_equation(latex))
        if self.terms is not None and len(self.terms) > FEW:
            largest = sorted(range(len(self.terms)), key=lambda n: -abs(self.terms[n]))
            terms = (f"[{n}] {self.terms[n]:.3g}" for n in largest[:FEW])
            shown = numeral(words["between"].join(terms), language).replace("-", "−")
            lines.append(f"   {words['terms']}: {shown}")
        if self.shapes:
            lines.append(f"   {words['shapes']}: {shape_text(self.shapes)}")
        if self.check is not None:
            lines.append(f"   {self.check.text(language)}")
        return "\n".join(lines)


def shape_text(shapes: Mapping[str, Sequence[int]]) -> str:
    """Of what went in, and of what came out."""
    parts = [f"{name} {_shape(shape)}" for name, shape in shapes.items() if name]
    return f"{', '.join(parts)} → {_shape(shapes[''])}".lstrip()


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) if shape else "1"


@dataclass(frozen=True)
class Steps(Sequence[Step]):
    """The steps in their order; prints as text, in a notebook as HTML."""

    title: str
    subject: str
    steps: tuple[Step, ...]
    language: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, str):
            return next(each for each in self.steps if each.name == number)
        return self.steps[number]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks."""
        return tuple(each.check for each in self.steps if each.check is not None)

    @property
    def passed(self) -> bool:
        """Whether every number that was compared equals the recorded one."""
        return not any(each.failed for each in self.checks)

    @property
    def counted(self) -> dict[str, int]:
        """How many checks ``passed``, ``failed`` and had ``nothing`` to compare."""
        return {
            kind: sum(bool(getattr(each, kind)) for each in self.checks)
            for kind in ("passed", "failed", "nothing")
        }

    def summary(self) -> str:
        """What all checks came to, in a sentence."""
        return phrases(self.language)["counted"].format(**self.counted)

    def __str__(self) -> str:
        parts = [f"{self.title}\n{self.subject}"]
        parts += [each.text(n, self.language) for n, each in enumerate(self.steps, 1)]
        return "\n\n".join([*parts, self.summary()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from regard.seeing.steps.html import steps_html

        return steps_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers and text, which JSON takes."""
        return {
            "title": self.title,
            "subject": self.subject,
            "language": self.language,
            "steps": [_step_as_dict(each) for each in self.steps],
        }


def _step_as_dict(step: Step) -> dict[str, Any]:
    value = None if step.value is None else np.asarray(step.value).tolist()
    check = step.check and {
        "what": step.check.what,
        "difference": step.check.difference,
        "tolerance": step.check.tolerance,
        "passed": step.check.passed,
        "nothing": step.check.nothing,
    }
    return {
        "name": step.name,
        "title": step.title,
        "sentence": step.sentence,
        "formula": step.formula,
        "numbers": step.numbers,
        "of": step.of,
        "gives": step.gives,
        "shapes": {name: list(shape) for name, shape in step.shapes.items()},
        "value": value,
        "terms": None if step.terms is None else np.asarray(step.terms).tolist(),
        "check": check,
    }
