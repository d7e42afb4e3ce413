"""Parts explain themselves with masks and biases, at every query of every head."""

import keras
import numpy as np
import pytest

import regard
from regard import layers, positions
from tests.seeing.steps.parts import CALLS, EXPLAINED, TOKENS


def places(trace):
    """Every example, head and query."""
    batch, heads, queries = trace.weights.shape[:3]
    return np.ndindex(batch, heads, queries)


# The other backends record the same; a sample of each kind is enough.
SAMPLE = ("normalizer_entmax_learned", "position_rope", "scope_joined", "norm_unit")
NAMES = [*CALLS] if keras.backend.backend() == "torch" else [*SAMPLE]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_agrees(name):
    trace = CALLS[name]()
    for example, head, query in places(trace):
        steps = regard.explain(trace, query=query, head=head, example=example)
        wrong = [(each.name, each.check) for each in steps if not passed(each)]
        assert not wrong, f"{wrong} at {example, head, query}\n{steps}"
        checked = {check.what for check in steps.checks}
        assert {"query", "key", "scores", "weights", "context", "output"} <= checked


def passed(step):
    return step.check is None or not step.check.failed


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


CACHED = {
    "plain": layers.MultiHeadAttention(2, 4),
    "rope": layers.MultiHeadAttention(2, 4, position=positions.RoPE()),
    "alibi": layers.MultiHeadAttention(2, 4, position=positions.ALiBi()),
    "window": layers.MultiHeadAttention(2, 4, scope=regard.Window(1)),
    "prefix": layers.MultiHeadAttention(2, 4, scope=regard.Causal() | regard.Prefix(3)),
    "grouped": layers.GroupedQueryAttention(4, 4, 2),
}


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("name", CACHED)
def test_tokens_that_go_on_from_a_cache(name, ring):
    layer = CACHED[name]
    layer(TOKENS)
    _, state = layer(TOKENS[:, :2], state=layer.initial_cache(3, 5, ring=ring))
    for length in (1, 2):
        trace = layer.trace(TOKENS[:, 2 : 2 + length], state=state)
        for _, head, query in places(trace):
            steps = regard.explain(trace, query=query, head=head)
            wrong = [(each.name, each.check) for each in steps if not passed(each)]
            assert not wrong, f"{wrong} at {query}\n{steps}"
            assert steps["came_before"].value == 2 + query
            checked = {check.what for check in steps.checks}
            assert {"scores", "weights", "context", "output"} <= checked


def test_a_step_is_written_with_what_was_before_it():
    steps = regard.explain(CALLS["position_alibi"](), query=1)
    placed, slope = steps["score__placed"], steps["score__slope"].value
    key = int(placed.of.removeprefix("key "))
    before, after = (f"{s.value[key]:.3g}" for s in (steps["compared"], placed))
    assert placed.numbers.startswith(f"{before} + ")
    assert placed.numbers.endswith(f" = {after}")
    assert before != after
    assert f"{-slope:.3g}" in placed.numbers
