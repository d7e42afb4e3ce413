"""What the page of an explanation holds: every step of every row, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regard.cards.mathml import mathml
from regard.reports.explained.plain import DRAWN, plain
from regard.reports.explained.playground import playground
from regard.reports.phrases import LANGUAGES, phrases
from regard.reports.tokens import direction, shorten, visible
from regard.seeing.steps import Step, Steps
from regard.seeing.steps.explain import work_out
from regard.seeing.steps.phrases import phrases as beside_steps
from regard.seeing.steps.sizes import sizes_of
from regard.seeing.steps.step import FEW, shape_text
from regard.trace import Trace

WINDOW = 24  # queries a page holds
EXAMPLES = 4
ENTRIES = 64  # of a value that are drawn
LONGEST = 24  # letters of a token that are shown
Tokens = Sequence[Any] | None


def packed(trace: Trace, query: int, tokens: tuple[Tokens, Tokens]) -> dict[str, Any]:
    """Everything the page shows, as plain numbers and text."""
    sizes = sizes_of(trace)
    query = query % sizes["T"]
    start = min(max(0, query - WINDOW // 2), max(0, sizes["T"] - WINDOW))
    queries = range(start, min(start + WINDOW, sizes["T"]))
    examples = range(min(EXAMPLES, sizes["B"]))
    kinds: list[dict[str, Any]] = []
    rows = [
        [
            [_row(trace, (e, h, q), _of(tokens, e), kinds) for q in queries]
            for h in range(sizes["H"])
        ]
        for e in examples
    ]
    names = [_of(tokens, e) for e in examples]
    return {
        "phrases": {each: _words(each) for each in LANGUAGES},
        "kinds": kinds,
        "rows": rows,
        "start": query - start,
        "heads": list(range(sizes["H"])),
        "examples": list(examples),
        "queries": [_labels(each[0], queries) for each in names],
        "keys": [_labels(each[1], range(sizes["S"])) for each in names],
        "directions": [direction(each[0] or ()) for each in names],
        **playground(trace, rows, sizes),
    }


def _words(language: str) -> dict[str, str]:
    beside = beside_steps(language)
    words = phrases(language, "pages", "explained")
    return words | {key: beside[key] for key in ("for", "shapes")}


def _of(tokens: tuple[Tokens, Tokens], example: int) -> tuple[Tokens, Tokens]:
    """The tokens of one example, where each has its own."""
    queries, keys = (
        each[example] if each and not isinstance(each[0], str) else each
        for each in tokens
    )
    return queries, keys


def _labels(tokens: Tokens, places: range) -> list[str]:
    """Tokens for the eye, numbers where there are none."""
    known = tokens or ()
    return [_label(known[n]) if n < len(known) else str(n) for n in places]


def _label(token: str) -> str:
    return shorten(visible(token), LONGEST)


def _row(
    trace: Trace, place: tuple, tokens: tuple[Tokens, Tokens], kinds: list[dict]
) -> dict[str, Any]:
    """The steps of one row; what all rows share of a step is kept once."""
    example, head, query = place
    clean = [each and [_label(token) for token in each] for each in tokens]
    worked = work_out(trace, query=query, head=head, example=example)
    told = {each: worked.told((clean[0], clean[1]), each) for each in LANGUAGES}
    english = told["en"]
    facts = english.facts
    seen = np.atleast_1d(facts["mask"]).tolist()
    steps = [_step(told, number, kinds) for number in range(len(english))]
    found = {"steps": steps, "seen": seen, "strongest": facts["key_number"]}
    for name in ("weights", "scores"):
        if facts.get(name) is not None:
            found[name] = plain(facts[name])
    return found


def _step(
    told: Mapping[str, Steps], number: int, kinds: list[dict[str, Any]]
) -> dict[str, Any]:
    step: Step = told["en"][number]
    kind = {
        "title": {each: told[each][number].title for each in LANGUAGES},
        "formula": mathml(step.formula) if step.formula else "",
        "role": step.gives,
    }
    if kind not in kinds:
        kinds.append(kind)
    value = np.atleast_1d(np.asarray(step.value, "float64"))
    if step.of and value.ndim > 1:  # a vector for each key: those of the strongest
        value = value[told["en"].facts["key_number"]]
    per_key = bool(step.of) and np.ndim(step.value) == 1
    flat = value.ravel()
    return {
        "kind": kinds.index(kind),
        "sentence": {each: told[each][number].sentence for each in LANGUAGES},
        "numbers": mathml(step.numbers) if step.numbers else "",
        "of": {each: told[each][number].of for each in LANGUAGES} if step.of else None,
        "shapes": shape_text(step.shapes),
        "value": plain(flat if per_key else flat[:ENTRIES], DRAWN),
        "perKey": per_key,
        "terms": _terms(step),
        "more": 0 if per_key else max(0, flat.size - ENTRIES),
        "check": step.check
        and {
            "failed": step.check.failed,
            "text": {each: step.check.text(each) for each in LANGUAGES},
        },
    }


def _terms(step: Step) -> list[list[Any]]:
    """The five largest and the five smallest terms of a score, each with its number."""
    if step.terms is None or len(step.terms) < 4:
        return []
    order = np.argsort(-np.asarray(step.terms), kind="stable")
    chosen = order if len(order) <= 2 * FEW else [*order[:FEW], *order[-FEW:]]
    return [[int(n), *plain(step.terms[n], DRAWN)] for n in chosen]
