"""What the page of an explanation holds: every step of every row, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regard.cards.mathml import mathml
from regard.reports.explained.once import Shared
from regard.reports.explained.plain import DRAWN, plain
from regard.reports.explained.playground import playground
from regard.reports.phrases import LANGUAGES, phrases
from regard.reports.tokens import direction, shorten, visible
from regard.seeing.steps import Step, Steps
from regard.seeing.steps.explain import Worked, work_out
from regard.seeing.steps.phrases import phrases as beside_steps
from regard.seeing.steps.step import FEW, shape_text
from regard.seeing.steps.tokens import Tokens, checked_tokens, of_each_example
from regard.trace import Trace

WINDOW = 24  # queries a page holds
EXAMPLES = 4
ENTRIES = 64  # of a value that are drawn
LONGEST = 24  # letters of a token that are shown


def packed(opened: Worked, names: Sequence[tuple[Tokens, Tokens]]) -> dict[str, Any]:
    """Everything the page shows, as plain numbers and text; it opens at this row.

    ``names``: the tokens of queries and keys of each example.
    """
    trace, sizes, query = opened.trace, opened.sizes, opened.row["query_number"]
    start = min(max(0, query - WINDOW // 2), max(0, sizes["T"] - WINDOW))
    queries = range(start, min(start + WINDOW, sizes["T"]))
    examples = range(min(EXAMPLES, sizes["B"]))
    shared = Shared()

    def worked(*place: int) -> Worked:
        known = place == (0, 0, query)
        at = dict(zip(("example", "head", "query"), place, strict=True))
        return opened if known else work_out(trace, **at)

    rows = [
        [
            [_row(worked(e, h, q), names[e], shared) for q in queries]
            for h in range(sizes["H"])
        ]
        for e in examples
    ]
    toy = playground(trace, rows, sizes, shared.vectors)
    return {
        "phrases": {each: _words(each) for each in LANGUAGES},
        **shared.packed(),
        "rows": rows,
        "start": query - start,
        "heads": list(range(sizes["H"])),
        "examples": list(examples),
        "queries": [_labels(names[e][0], queries) for e in examples],
        "keys": [_labels(names[e][1], range(sizes["S"])) for e in examples],
        "directions": [direction(names[e][0] or ()) for e in examples],
        **toy,
    }


def _words(language: str) -> dict[str, str]:
    beside = beside_steps(language)
    words = phrases(language, "pages", "explained")
    return words | {key: beside[key] for key in ("for", "shapes", "counted")}


def tokens_of_examples(
    tokens: tuple[Any, Any], trace: Trace, sizes: Mapping[str, int]
) -> list[tuple[Tokens, Tokens]]:
    """Those of queries and keys, of each example, as they are shown.

    Raises:
        ValueError: for fewer or more than there are places or examples.
    """
    names = ("query_tokens", "key_tokens")
    both = (
        of_each_example(name, each, sizes["B"])
        for name, each in zip(names, tokens, strict=True)
    )
    found = []
    for pair in zip(*both, strict=True):
        queries, keys = checked_tokens(pair, trace, sizes)
        found.append((_clean(queries), _clean(keys)))
    return found


def _clean(tokens: Tokens) -> Tokens:
    return tokens and [_label(each) for each in tokens]


def _labels(tokens: Tokens, places: range) -> list[str]:
    """Tokens for the eye, numbers where there are none."""
    known = tokens or ()
    return [known[n] if n < len(known) else str(n) for n in places]


def _label(token: str) -> str:
    return shorten(visible(token), LONGEST)


def _row(
    worked: Worked, tokens: tuple[Tokens, Tokens], shared: Shared
) -> dict[str, Any]:
    """The steps of one row by their numbers, and what a reader may change."""
    told = {each: worked.told(tokens, each) for each in LANGUAGES}
    english = told["en"]
    facts = english.facts
    seen = np.atleast_1d(facts["mask"]).tolist()
    steps = [_step(told, number, shared) for number in range(len(english))]
    found = {
        "steps": steps,
        "seen": seen,
        "strongest": facts["key_number"],
        "counted": english.counted,
        "swaps": worked.keys_may_change_places(),
    }
    for name in ("weights", "scores"):
        if facts.get(name) is not None:
            found[name] = plain(facts[name])
    return found


def _step(told: Mapping[str, Steps], number: int, shared: Shared) -> int:
    """The number of this step; its kind and its value stand apart from it."""
    step: Step = told["en"][number]
    kind = {
        "title": {each: told[each][number].title for each in LANGUAGES},
        "formula": mathml(step.formula) if step.formula else "",
        "role": step.gives,
    }
    value = np.atleast_1d(np.asarray(step.value, "float64"))
    if step.of and value.ndim > 1:  # a vector for each key: those of the strongest
        value = value[told["en"].facts["key_number"]]
    per_key = bool(step.of) and np.ndim(step.value) == 1
    flat = value.ravel()
    entry = {
        "kind": shared.kinds.number(kind),
        "sentence": {each: told[each][number].sentence for each in LANGUAGES},
        "numbers": mathml(step.numbers) if step.numbers else "",
        "of": {each: told[each][number].of for each in LANGUAGES} if step.of else None,
        "shapes": shape_text(step.shapes),
        "value": shared.vectors.number(
            plain(flat if per_key else flat[:ENTRIES], DRAWN)
        ),
        "perKey": per_key,
        "terms": _terms(step),
        "more": 0 if per_key else max(0, flat.size - ENTRIES),
        "check": step.check
        and {
            "failed": step.check.failed,
            "text": {each: step.check.text(each) for each in LANGUAGES},
        },
    }
    return shared.steps.number(entry)


def _terms(step: Step) -> list[list[Any]]:
    """The five largest and the five smallest terms of a score, each with its number."""
    if step.terms is None or len(step.terms) < 4:
        return []
    order = np.argsort(-np.asarray(step.terms), kind="stable")
    chosen = order if len(order) <= 2 * FEW else [*order[:FEW], *order[-FEW:]]
    return [[int(n), *plain(step.terms[n], DRAWN)] for n in chosen]
