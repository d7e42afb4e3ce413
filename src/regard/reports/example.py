"""One input with its output, and all that a report may show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regard.reports.extras import Explanation, Gold, Timeline, Training
from regard.reports.record import AttentionRecord

__all__ = ["Example"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Example:
    """One input with its output, what it should have been, and the maps in between.

    - ``source`` and ``output``: the texts as the reader knows them.
    - ``references``: the right answers, if known; a single string is one reference.
    - ``scores``: name -> number, shown with the example and offered for sorting.
    - ``attention``: one record for each layer; a single record is accepted.
    - ``gold``: the right links between the words of output and input, if known.
    - ``other``: the same maps of a second model, to be compared one by one.
    - ``training``: the maps at several steps; ``attention`` is then the last of them.
    - ``timeline``: what the keys were in time, a series or sound.
    - ``explanation``: of a classifier, its probabilities and other explanations.
    - ``source_language``, ``output_language``: language tags such as ``"en"``.

    Raises:
        ValueError: maps of the second model that are not those of the first.
    """

    source: str
    output: str
    references: Sequence[str] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    attention: Sequence[AttentionRecord] | AttentionRecord = ()
    gold: Gold | None = None
    explanation: Explanation | None = None
    other: Sequence[AttentionRecord] | AttentionRecord = ()
    training: Training | None = None
    timeline: Timeline | None = None
    source_language: str = ""
    output_language: str = ""

    def __post_init__(self) -> None:
        references = self.references
        if isinstance(references, str):
            references = (references,)
        object.__setattr__(self, "references", tuple(references))
        object.__setattr__(self, "scores", dict(self.scores))

        _check_pairs(self.records(), self.others())

    def records(self) -> tuple[AttentionRecord, ...]:
        """The attention records, always as a tuple."""
        if self.training is not None:
            return tuple(self.training.records[-1])
        return _as_tuple(self.attention)

    def others(self) -> tuple[AttentionRecord, ...]:
        """The records of the second model, one for each of the first, or none."""
        return _as_tuple(self.other)


def _as_tuple(
    given: Sequence[AttentionRecord] | AttentionRecord,
) -> tuple[AttentionRecord, ...]:
    return (given,) if isinstance(given, AttentionRecord) else tuple(given)


def _check_pairs(
    first: Sequence[AttentionRecord], second: Sequence[AttentionRecord]
) -> None:
    shapes = [
        [each.table.shape for each in records] for records in (first, second) if second
    ]
    if shapes and shapes[0] != shapes[1]:
        raise ValueError(
            f"other must have the maps of attention, {shapes[0]}. Got {shapes[1]}."
        )
