"""Parts explain themselves with masks and biases, at every query of every head."""

import keras
import numpy as np
import pytest

import regard
from tests.seeing.steps.parts import CALLS, EXPLAINED


def places(trace):
    """Every example, head and query."""
    batch, heads, queries = trace.weights.shape[:3]
    return np.ndindex(batch, heads, queries)


@pytest.mark.parametrize("name", CALLS)
def test_every_row_agrees(name):
    trace = CALLS[name]()
    for example, head, query in places(trace):
        steps = regard.explain(trace, query=query, head=head, example=example)
        wrong = [(each.name, each.check) for each in steps if not passed(each)]
        assert not wrong, f"{wrong} at {example, head, query}\n{steps}"
        checked = {check.what for check in steps.checks}
        assert {"query", "key", "scores", "weights", "context", "output"} <= checked


def passed(step):
    return step.check is None or step.check.passed


@pytest.mark.parametrize("name", EXPLAINED)
@pytest.mark.parametrize("query", [0, -1])
def test_calls_agree(name, query):
    part, inputs, options = EXPLAINED[name]
    for example in range(3):
        steps = regard.explain(part, *inputs, query=query, example=example, **options)
        wrong = [(each.name, each.check) for each in steps if not passed(each)]
        assert not wrong, f"{wrong} at {example, query}\n{steps}"
        assert "output" in {check.what for check in steps.checks}


def test_a_loss_of_keras_is_not_explained():
    loss = keras.losses.MeanSquaredError()
    with pytest.raises(ValueError, match=r"must be a loss of regard\.losses"):
        regard.explain(loss, np.ones(3), np.ones(3))
