"""How a number of a trace came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regard.cards import Card, card, check_language
from regard.seeing.steps.entries import shared
from regard.seeing.steps.facts import facts_of, subject_of
from regard.seeing.steps.phrases import phrases
from regard.seeing.steps.sizes import Place, sizes_of
from regard.seeing.steps.step import Steps
from regard.seeing.steps.telling import told
from regard.seeing.steps.tokens import Tokens, checked_tokens
from regard.seeing.steps.traces import check_options, trace_of
from regard.seeing.steps.translating import in_our_terms
from regard.seeing.steps.working import Done, Working
from regard.trace import Trace

__all__ = ["explain"]


def explain(
    trace_or_layer: Any,
    *inputs: Any,
    query: int = 0,
    head: int = 0,
    example: int = 0,
    language: str = "en",
    query_tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    **options: Any,
) -> Steps:
    """How the output at one query came about, step by step.

        trace = layer.trace(query, value)
        print(regard.explain(trace, query=3, language="ru"))

    Each step has a title, a sentence, the formula, the same formula with this row's
    numbers, shapes, and a check: what was recomputed in float64 beside what the layer
    recorded.

    Args:
        trace_or_layer: a ``Trace``, or a layer, which is called with ``inputs`` and
            ``options`` to make one.
        *inputs: of the layer's call.
        query: number of the query, from the end where negative; of an image's pixel
            row * width + column, of a recurrent layer's step, of a graph's node.
        head: number of the head, likewise.
        example: number of the example, likewise.
        language: "en" or "ru".
        query_tokens: what stands at the queries' places, for the sentences: a text
            for each, padding included.
        key_tokens: likewise; keys of the layer's own may be left out.
        **options: of the layer's call.

    Raises:
        ValueError: for an unknown language, a row that is not there, fewer or more
            tokens than places, a trace without weights, or a layer that no card
            explains.
        TypeError: an option that neither this nor the layer's call takes.
    """
    check_language(language)
    check_options(explain, trace_or_layer, options)
    trace = trace_of(trace_or_layer, inputs, options)
    worked = work_out(trace, trace_or_layer, query=query, head=head, example=example)
    return worked.told((query_tokens, key_tokens), language)


@dataclass(frozen=True)
class Worked:
    """The steps of one row, computed; ``told`` puts them into words."""

    card: Card
    trace: Trace
    sizes: Mapping[str, int]
    row: Mapping[str, Any]
    steps: tuple[Done, ...]

    def keys_may_change_places(self) -> bool:
        """Whether keys take their scores along when they change places."""
        scores = [each for each in self.steps if each.scoped.entry.gives == "scores"]
        return len(scores) == 1 and scores[0].of_its_key()

    def told(self, tokens: tuple[Tokens, Tokens], language: str) -> Steps:
        """In a language, with the tokens of queries and keys where they are known."""
        tokens = checked_tokens(tokens, self.trace, self.sizes)
        facts = facts_of(self.row, tokens, language)
        return Steps(
            self.card.text(language).title,
            subject_of(facts, phrases(language), self.sizes),
            tuple(told(each, facts, language) for each in self.steps),
            language,
            facts,
        )


def work_out(
    trace: Trace, layer: Any = None, *, query: int, head: int = 0, example: int = 0
) -> Worked:
    """Compute all steps of one row; raises as ``explain`` does."""
    _check_whole(trace)
    _check_filled(trace)
    ours = in_our_terms(trace)
    found = card_of(ours, layer)
    if ours.settings["whose"] == "other":
        usual = shared()["read_off"]
        found = replace(found, steps=shared().get(f"{found.name}_read_off", usual))
    if "key_positions" in ours.extra:  # the memory is a cache, not what came in
        found = replace(found, steps=(*card("key_value_cache").steps, *found.steps))
        ours = replace(ours, inputs={})
    sizes = sizes_of(ours)
    place = Place(
        _number("example", example, sizes["B"]),
        _number("head", head, sizes["H"]),
        _number("query", query, sizes["T"]),
    )
    working = Working.at(ours, place)
    return Worked(found, trace, sizes, working.row, tuple(working.steps(found)))


def _check_whole(trace: Trace) -> None:
    """Only a trace with all its rows and heads can be explained."""
    kinds = {"rows": "chosen rows", "heads": "chosen heads", "received": "an outline"}
    kept = [kind for name, kind in kinds.items() if name in trace.extra]
    if kept:
        raise ValueError(
            f"trace must be whole. Got one of which a capture kept {kept[0]}; capture "
            "it without rows= and heads= and, where it is long, with whole=True."
        )


def _check_filled(trace: Trace) -> None:
    """A trace of no examples, queries or keys has no row."""
    given = {f"input {name}": each for name, each in trace.inputs.items()}
    recorded = {"weights": trace.weights, "output": trace.output}
    for name, array in {**given, **recorded}.items():
        if array is not None and 0 in np.shape(array):
            raise ValueError(
                "trace must hold at least one example, query and key. "
                f"Got one whose {name} has shape {np.shape(array)}."
            )


def card_of(trace: Trace, layer: Any) -> Card:
    """The card that says how the mechanism computes.

    Raises:
        ValueError: where there is none with steps.
    """
    try:
        found = card(trace.mechanism)
    except ValueError:
        found = None
    if found is None or not found.steps:
        raise ValueError(
            "trace_or_layer must be of a mechanism whose card has steps. "
            f"Got {trace.mechanism or type(layer).__name__!r}."
        )
    return found


def _number(name: str, given: int, size: int) -> int:
    if not isinstance(given, (int, np.integer)) or not -size <= given < size:
        known = f"a whole number from 0 to {size - 1}, or from the end {-size} to -1"
        known = known if size > 1 else "0, for there is only one"
        raise ValueError(f"{name} must be {known}. Got {given!r}.")
    return int(given) % size
