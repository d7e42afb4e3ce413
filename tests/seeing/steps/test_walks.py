"""What remembers is explained at every step, with padding, masks and a bias."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import regard
from regard.seeing.steps.traces import trace_of
from tests.conformance.cases import CASES
from tests.conformance.subject import subject_of

ALIGNMENTS = ("coverage", "location_sensitive_both", "forward_agent", "stochastic")
WITHOUT_BIAS = ("monotonic_general", "chunkwise", "mixture")
WORDS = ("copy_net", "pointer_sentinel_window", "pointer_generator")
MEMORIES = ("memory_network", "key_value_memory", "hopfield", "memorizing")
OVER_MEMORY = (*ALIGNMENTS, "dynamic_convolution", *WITHOUT_BIAS, *WORDS, *MEMORIES)
OVER_MEMORY += ("linear", "efficient", "random_shared_maximum", "pointer")
RECURRENCES = ("causal_linear", "retention_lightning", "gated_linear", "forgetting")
RECURRENCES += ("delta_negative", "gated_delta_per_channel", "external")
TORCH = keras.backend.backend() == "torch"
if not TORCH:  # what is recorded is the same; one of a kind
    OVER_MEMORY, RECURRENCES = ("forward_agent", "hopfield"), ("retention",)
once = pytest.mark.skipif(not TORCH, reason="computed in NumPy, once is enough")


def row(name):
    return next(each for each in CASES if each.name == name)


def traced(name, **options):
    case = row(name)
    subject = subject_of(case)
    first, *rest = case.arguments
    others = {each: subject.inputs[each] for each in rest}
    return subject.layer.trace(subject.inputs[first], **others, **options)


def wrong_in(trace, **options):
    steps = regard.explain(trace, **options)
    return [(e.name, e.check) for e in steps if e.check and e.check.failed]


@pytest.mark.parametrize("name", OVER_MEMORY)
def test_masks_and_bias_are_part_of_the_steps(name):
    inputs = subject_of(row(name)).inputs
    length = inputs["query"].shape[1]
    given = {"query_mask": np.array([[True, False, True]] * 2)}
    if "value" in inputs:
        given["value_mask"] = np.array([[False, True, True, True, True]] * 2)
        given["value_mask"][1] = given["value_mask"][1, ::-1]
    if name not in (*WITHOUT_BIAS, *WORDS):
        rng = np.random.default_rng(1)
        given["bias"] = rng.normal(size=(1, 1, length, 5)).astype("float32")
    trace = traced(name, **given)
    for query in range(length):
        for example in range(2):
            assert not wrong_in(trace, query=query, head=-1, example=example)


@pytest.mark.parametrize("name", RECURRENCES)
def test_padding_is_not_remembered(name):
    mask = np.array([[True, False, True, True, True], [True, True, True, True, False]])
    trace = traced(name, mask=mask)
    for query in range(5):
        for example in range(2):
            assert not wrong_in(trace, query=query, head=-1, example=example)


@once
@pytest.mark.parametrize("name", ["retention", "causal_linear", "gated_delta"])
def test_a_memory_that_was_there_before_is_counted(name):
    layer = subject_of(row(name)).layer
    inputs = np.random.default_rng(2).normal(size=(2, 6, 7)).astype("float32")
    _, state = layer.prefill(inputs[:, :4])
    trace = layer.trace(inputs[:, 4:], state=state)
    steps = regard.explain(trace, query=1, head=1)
    named = {each.name: each.check for each in steps}
    assert named["recalled"].passed and named["joined"].passed


@once
@pytest.mark.parametrize("name", ["ntm", "dnc"])
def test_machines_are_told_at_the_last_step_alone_too(name):
    layer = subject_of(row(name)).layer
    config = {**layer.get_config(), "return_sequences": False}
    last = keras.layers.RNN.from_config(config)
    inputs = subject_of(row(name)).inputs["sequences"]
    last(inputs)
    last.set_weights(layer.get_weights())
    for each, query in ((layer, 3), (last, 0)):
        steps = regard.explain(each, inputs, query=query, example=1)
        assert steps.passed and steps[-1].check.what == "output"


LOOPS = ({}, {"go_backwards": True}, {"zero_output_for_mask": True})
LOOPS += ({"return_sequences": False}, {"return_sequences": False, **LOOPS[1]})


@once
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", ["ntm", "dnc"])
def test_a_machine_rests_at_padding(name, loop):
    layer = subject_of(row(name)).layer
    inputs = subject_of(row(name)).inputs["sequences"]
    other = keras.layers.RNN.from_config({**layer.get_config(), **loop})
    other(inputs)
    other.set_weights(layer.get_weights())
    mask = np.array(
        [[False, True, True, False, False], [True, False, True, True, True]]
    )
    for example, query in np.ndindex(2, 5 if other.return_sequences else 1):
        place = {"example": example, "query": query}
        steps = regard.explain(other, inputs, mask=mask, **place)
        assert steps.passed and steps[-1].check.what == "output"
        turns = mask[example, :: -1 if other.go_backwards else 1]
        rests = not turns[query if other.return_sequences else -1]
        assert ("padding" in steps[-1].sentence) == rests
        assert ("reads" in [each.name for each in steps]) != rests


@once
def test_an_answer_that_was_not_repeated_is_noticed():
    layer = subject_of(row("ntm")).layer
    inputs = subject_of(row("ntm")).inputs["sequences"]
    output = keras.ops.convert_to_numpy(layer(inputs))
    mask = np.array([[True, True, True, False, False]] * 2)
    trace = trace_of(layer, (inputs,), {"mask": mask})
    assert not wrong_in(trace, query=3)
    assert wrong_in(replace(trace, output=output), query=3)


@once
def test_hopfield_states_move_before_they_are_read():
    layer = regard.layers.HopfieldAttention(3, num_heads=2, updates=3)
    inputs = np.random.default_rng(3).normal(size=(2, 4, 5)).astype("float32")
    layer(inputs)
    trace = layer.trace(inputs, use_causal_mask=True)
    for query in range(4):
        assert not wrong_in(trace, query=query, head=1)
    assert "moved" in {e.what for e in regard.explain(trace, query=2).checks}


@once
def test_a_drawn_key_and_a_kept_one_have_their_chances():
    layer = regard.layers.StochasticAttention(4, inference="likeliest")
    rng = np.random.default_rng(4)
    query, value = (rng.normal(size=(2, n, 5)).astype("float32") for n in (3, 6))
    for training in (False, True):
        trace = layer.trace(query, value, training=training)
        assert set(np.unique(trace.weights)) == {0.0, 1.0}
        for number in range(3):
            assert not wrong_in(trace, query=number)


def test_pointers_inside_a_decoder_answer_with_what_they_read():
    attention = regard.layers.PointerAttention(4, revisit=False)
    decoder = regard.layers.AttentionDecoder(attention, keras.layers.GRUCell(3))
    rng = np.random.default_rng(5)
    words, memory = (rng.normal(size=(2, n, 5)).astype("float32") for n in (4, 6))
    trace = decoder.trace(words, memory)
    for query in range(4):
        steps = regard.explain(trace, query=query)
        assert steps.passed, [e for e in steps.checks if not e.passed]
    assert "mask" in {each.what for each in steps.checks}


@pytest.mark.parametrize(
    "name", ["location_sensitive_both", "forward_agent", "mixture"]
)
@once
def test_alignments_inside_a_decoder_are_told(name):
    attention = subject_of(row(name)).layer
    config = {**attention.get_config(), "name": "aligned"}
    decoder = regard.layers.AttentionDecoder(
        type(attention).from_config(config), keras.layers.LSTMCell(4)
    )
    rng = np.random.default_rng(6)
    words, memory = (rng.normal(size=(2, n, 5)).astype("float32") for n in (4, 6))
    trace = decoder.trace(words, memory)
    for query in range(4):
        assert not wrong_in(trace, query=query)


@once
@pytest.mark.parametrize("name", ["local_predictive", "local_monotonic"])
def test_a_window_that_shows_no_visible_key_gives_nothing(name):
    trace = traced(name, use_causal_mask=True)
    near = trace.scores > -1e37
    assert not (trace.weights * ~near).any()
    for query in range(3):
        for example in range(2):
            assert not wrong_in(trace, query=query, example=example)
    empty = ~(near & trace.mask).any(-1)
    assert not trace.context[empty].any()
    assert name == "local_monotonic" or empty.any()


@once
def test_places_count_what_is_real_and_what_came_before():
    layer = regard.layers.Retention(2, 4, position=regard.positions.RoPE())
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(2, 5, 6)).astype("float32")
    layer(inputs)
    mask = np.array([[True, False, True, True, True], [True, True, True, True, False]])
    _, state = layer.prefill(inputs)
    for options in ({"mask": mask}, {"state": state}):
        trace = layer.trace(inputs, **options)
        for query in range(5):
            for example in range(2):
                assert not wrong_in(trace, query=query, head=1, example=example)
