"""Hidden places are explained as they were computed, in every head."""

import inspect

import keras
import numpy as np
import pytest

import regard
from tests.conformance.cases import CASES
from tests.conformance.subject import subject_of

MASKS = {"query_mask": 0, "value_mask": 1, "mask": 0}  # and of which argument it is
SEQUENCES = [
    pytest.param(case, id=case.name)
    for case in CASES
    if keras.backend.backend() == "torch"
]
MOST = 8


def hiding(case, subject):
    """A call's arguments with masks: one example has gaps, the next sees nothing."""
    given = {name: subject.inputs[name] for name in case.arguments}
    known = inspect.signature(subject.layer.call).parameters
    for mask, place in MASKS.items():
        array = given[case.arguments[min(place, len(given) - 1)]]
        if mask in known and np.ndim(array) == 3:
            keep = np.ones(np.shape(array)[:2], bool)
            keep[0, 1:-1:2] = keep[0, -1] = False
            keep[1:2] = False
            given[mask] = keep
    return given


@pytest.mark.thorough
@pytest.mark.parametrize("case", SEQUENCES)
def test_hidden_places_agree_in_every_head(case):
    subject = subject_of(case)
    given = hiding(case, subject)
    if not set(MASKS) & set(given) or not hasattr(subject.layer, "trace"):
        pytest.skip("nothing of it is hidden")
    first = given.pop(case.arguments[0])
    trace = subject.layer.trace(first, **given)
    if np.ndim(trace.weights) != 4 or len(trace.weights) != len(first):
        pytest.skip("its weights are no table of pairs")
    places = list(np.ndindex(trace.weights.shape[:3]))
    for each in np.random.default_rng(0).permutation(len(places))[:MOST]:
        example, head, query = places[each]
        steps = regard.explain(trace, query=query, head=head, example=example)
        wrong = [(n.name, n.check) for n in steps if n.check and n.check.failed]
        assert not wrong, f"{wrong} at {example, head, query}\n{steps}"
