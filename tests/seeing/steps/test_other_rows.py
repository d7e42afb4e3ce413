"""Weights beside those of the row that is told are computed too, and checked."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import regard
from regard import layers, normalizers, positions

QUERY, VALUE = (
    np.random.default_rng(seed).normal(size=(2, length, 4)).astype("float32")
    for seed, length in ((1, 3), (2, 5))
)
DOCUMENTS = np.random.default_rng(3).normal(size=(2, 3, 5, 4)).astype("float32")
REAL = np.array([[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]], bool)
# Which array of the trace each layer's other weights are.
PAIRS = {
    "context_weights": layers.AttentionFlow,
    "query_weights": lambda **o: layers.Coattention(3, **o),
    "value_weights": lambda **o: layers.DecomposableAttention(3, **o),
}
NORMALIZERS = {
    "sparsemax": normalizers.Sparsemax(),
    "soft_cap": normalizers.SoftCap(0.5, normalizers.TopK(2)),
}
TORCH = keras.backend.backend() == "torch"
if not TORCH:  # what is recorded is the same
    PAIRS = {"value_weights": PAIRS["value_weights"]}
    NORMALIZERS = {"soft_cap": NORMALIZERS["soft_cap"]}


def trained(layer, *inputs):
    """With weights of which none is zero."""
    layer(*inputs)
    rng = np.random.default_rng(4)
    for each in layer.trainable_variables:
        each.assign(rng.normal(size=each.shape))
    return layer


def faulty(trace, name):
    """The trace with one number of an array of its own wrong by 1e-3."""
    broken = np.array(trace.extra[name], order="C")
    broken.reshape(-1)[np.argmax(np.abs(broken))] += 1e-3
    return replace(trace, extra={**trace.extra, name: broken})


def wrong(trace, **place):
    steps = regard.explain(trace, **place)
    return [each.what for each in steps.checks if each.failed]


def seen_at(trace, name, places):
    """Whether some of these places shows that the array is wrong."""
    assert not any(wrong(trace, **place) for place in places)
    broken = faulty(trace, name)
    return any(f"whole.{name}" in each for p in places for each in wrong(broken, **p))


@pytest.mark.parametrize("part", NORMALIZERS)
@pytest.mark.parametrize("name", PAIRS)
def test_the_other_weights_of_two_inputs(name, part):
    layer = PAIRS[name](normalizer=NORMALIZERS[part])
    mask = np.array([[1, 1, 1], [1, 0, 1]], bool)
    trace = layer.trace(QUERY, VALUE, query_mask=mask, value_mask=REAL)
    assert seen_at(trace, name, [{"example": n, "query": -1} for n in range(2)])


@pytest.mark.parametrize("part", NORMALIZERS)
def test_what_a_question_finds_in_a_document(part):
    layer = layers.DynamicCoattention(normalizer=NORMALIZERS[part])
    trace = layer.trace(QUERY, VALUE, value_mask=REAL)
    assert not wrong(trace, query=1)
    value = np.array(trace.value)
    value[0, 0, 1, -1] += 1e-3
    broken = replace(trace, value=value)
    assert any(each.startswith("whole.value") for each in wrong(broken, query=1))


@pytest.mark.parametrize("part", NORMALIZERS)
@pytest.mark.parametrize("name", ["words", "sentences"])
def test_both_weights_of_a_document(name, part):
    layer = layers.HierarchicalPooling(3, 2, normalizer=NORMALIZERS[part])
    mask = np.stack([REAL, ~REAL, REAL & REAL[::-1]], axis=1)
    trace = layer.trace(DOCUMENTS, mask=mask)
    assert seen_at(trace, name, [{"example": 0}, {"example": 1}])


LOOKS = {**NORMALIZERS, "learned": normalizers.Entmax(1.4, learn_alpha=True)}
LOOKS |= {"sinks": normalizers.Sinks(), "slot": normalizers.Slot()}
LOOKS = LOOKS if TORCH else {"slot": LOOKS["slot"]}


@pytest.mark.parametrize("part", LOOKS)
@pytest.mark.parametrize("name", ["gathered", "answered"])
def test_both_looks_of_a_set(name, part):
    layer = trained(layers.InducedSetBlock(2, 4, 3, normalizer=LOOKS[part]), VALUE)
    trace = layer.trace(VALUE, mask=REAL)
    where = np.ndindex(2, 2, 5)
    names = ("example", "head", "query")
    places = [dict(zip(names, each, strict=True)) for each in where]
    assert seen_at(trace, name, places)


TWICE = {
    "rope": {"position": positions.RoPE()},
    "alibi": {"position": positions.ALiBi()},
    "shaw": {"position": positions.ShawRelative(2)},
    "span": {"position": positions.AdaptiveSpan(2, 3, start=0.5)},
    "rope_and_span": {
        "position": positions.RoPE() + positions.AdaptiveSpan(2, 3, start=0.5),
        "normalizer": normalizers.Sparsemax(),
    },
    "tiled": {"query_key_norm": "unit", "num_key_value_heads": 1, "head_order": "tile"},
    "sinks": {"normalizer": normalizers.Sinks()},
    "slot": {"normalizer": normalizers.Slot()},
}
TWICE = TWICE if TORCH else {"alibi": TWICE["alibi"]}


@pytest.mark.parametrize("name", TWICE)
def test_both_looks_of_a_differential_head(name):
    layer = trained(layers.DifferentialAttention(2, 4, **TWICE[name]), QUERY, VALUE)
    bias = np.random.default_rng(5).normal(size=(2, 1, 3, 5)).astype("float32")
    trace = layer.trace(QUERY, VALUE, value_mask=REAL, bias=bias)
    for head in range(2):
        assert not wrong(trace, query=1, head=head, example=1)
        for look in (head, head + 2):
            scores = np.array(trace.scores)
            scores[1, look, 1, 0] += 1e-3
            broken = replace(trace, scores=scores)
            assert "scores" in wrong(broken, query=1, head=head, example=1)
    broken = faulty(trace, "maps")
    place = np.argwhere(broken.extra["maps"] != trace.extra["maps"])[0]
    where = {"example": place[0], "head": place[1] % 2, "query": place[2]}
    assert any("maps" in each for each in wrong(broken, **where))


@pytest.mark.parametrize("mixes", [True, False])
def test_spans_come_before_heads_talk_about_weights(mixes):
    span = positions.AdaptiveSpan(2, ramp=1.5)
    layer = layers.TalkingHeadsAttention(2, 4, mix_weights=mixes, position=span)
    trained(layer, QUERY, VALUE).part_weights["position"][0].assign([0.0, 0.1])
    trace = layer.trace(QUERY, VALUE, value_mask=REAL)
    for head, query in np.ndindex(2, 3):
        assert not wrong(trace, query=query, head=head, example=1)
    if mixes:  # a key so far away is out of the sight of each head
        assert np.all(trace.extra["maps"][:, :, 0, 0] == 0)
        assert np.any(trace.weights[:, :, 0])
    weights = np.array(trace.weights)
    weights[1, 1, 2, 0] += 1e-3
    broken = replace(trace, weights=weights)
    assert "weights" in wrong(broken, query=2, head=1, example=1)


MOVING = {
    "sparsemax": {"normalizer": normalizers.Sparsemax()},
    "slot": {"normalizer": normalizers.Slot()},
    **{
        f"slot_{name}": {"normalizer": normalizers.Slot(), "position": part}
        for name, part in {
            "alibi": positions.ALiBi(),
            "rope": positions.RoPE(),
            "shaw": positions.ShawRelative(2),
            "span": positions.AdaptiveSpan(3, 2, start=0.5),
        }.items()
    },
    "rope": {"position": positions.RoPE()},
    "shaw": {"position": positions.ShawRelative(2), "normalizer": "entmax15"},
}
MOVING = MOVING if TORCH else {"shaw": MOVING["shaw"]}


@pytest.mark.parametrize("name", MOVING)
def test_states_that_move_more_than_once(name):
    layer = layers.HopfieldAttention(4, num_heads=2, updates=3, **MOVING[name])
    bias = np.random.default_rng(5).normal(size=(2, 1, 3, 5)).astype("float32")
    layer = trained(layer, QUERY, VALUE)
    trace = layer.trace(QUERY, VALUE, value_mask=REAL, bias=bias)
    for head in range(2):
        assert not wrong(trace, query=2, head=head, example=1)
        broken = np.array(trace.extra["moved"])
        broken[1, head, 2, 0] += 1e-3
        broken = replace(trace, extra={**trace.extra, "moved": broken})
        assert "moved" in wrong(broken, query=2, head=head, example=1)


@pytest.mark.parametrize("iterations", [1, 4])
def test_an_inverse_that_starts_from_the_whole_batch(iterations):
    options = {"landmarks": 3, "iterations": iterations, "whole_batch": True}
    layer = layers.NystromAttention(2, 3, **options)
    trace = layer.trace(VALUE * [[[1]], [[3]]], query_mask=REAL, value_mask=REAL)
    places = [{"example": n, "query": 1, "head": h} for n in range(2) for h in range(2)]
    assert seen_at(trace, "inverse", places)


CONTINUED = {
    "forgetting": lambda: layers.ForgettingAttention(2, 3, gate_bias=0.5),
    "forgetting_turned": lambda: layers.ForgettingAttention(
        2, 4, position=positions.RoPE(), output_gate="silu"
    ),
    "causal_linear": lambda: layers.CausalLinearAttention(2, 3),
    "causal_cosine": lambda: layers.CausalLinearAttention(
        2, 3, feature_map="relu", position=positions.CosineReweighting(16)
    ),
}
CONTINUED = CONTINUED if TORCH else {"forgetting": CONTINUED["forgetting"]}


@pytest.mark.parametrize("name", CONTINUED)
def test_what_goes_on_from_a_state(name):
    layer, whole = CONTINUED[name](), np.concatenate([VALUE, QUERY], axis=1)
    mask = np.concatenate([REAL, [[1, 0, 1], [1, 1, 1]]], axis=1).astype(bool)
    _, state = layer.prefill(whole[:, :5], mask=mask[:, :5])
    trace = layer.trace(whole[:, 5:], mask=mask[:, 5:], state=state)
    at_once = layer.trace(whole, mask=mask)
    np.testing.assert_allclose(trace.weights, at_once.weights[:, :, 5:, 5:], atol=1e-5)
    for example, head, query in np.ndindex(2, 2, 3):
        place = {"example": example, "head": head, "query": query}
        assert not wrong(trace, **place)
        for array in ("weights", "context"):
            broken = np.array(getattr(trace, array))
            broken[example, head, query, -1] += 1e-3
            assert array in wrong(replace(trace, **{array: broken}), **place)


IMAGE = np.random.default_rng(6).normal(size=(2, 4, 5, 6)).astype("float32")
PLACED = {
    "rope": positions.RoPE(),
    "alibi": positions.ALiBi(),
    "shaw": positions.ShawRelative(2),
    "span": positions.AdaptiveSpan(3, 2, start=0.5),
    "both": positions.XPos() + positions.T5Bias(8, 5),
}
PLACED = PLACED if TORCH else {"shaw": PLACED["shaw"]}


AXES = [("height", "width"), ("width", "height"), ("width",)]


@pytest.mark.parametrize("axes", AXES if TORCH else AXES[:1])
@pytest.mark.parametrize("name", PLACED)
def test_positions_along_an_axis_of_an_image(name, axes):
    layer = layers.AxialAttention(2, 4, axes=axes, position=PLACED[name])
    trace = trained(layer, IMAGE).trace(IMAGE, mask=IMAGE[..., 0] > -1)
    place = {"example": 1, "head": 1, "query": 2 * 5 + 3}
    assert not wrong(trace, **place)
    for axis in axes:
        row, column = (3, 2) if axis == "height" else (2, 3)
        broken = np.array(trace.extra[axis])
        broken[1, row, 1, column, 1] += 1e-3
        broken = replace(trace, extra={**trace.extra, axis: broken})
        assert "weights" in wrong(broken, **place)


ENCODERS = {
    "gru": lambda: keras.layers.GRU(6, return_sequences=True),
    "attention": lambda: layers.MultiHeadAttention(2, 3),
}
ENCODERS = ENCODERS if TORCH else {"gru": ENCODERS["gru"]}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_layer_that_reads_sentences_is_asked_again(name):
    layer = layers.HierarchicalPooling(3, 2, sentence_encoder=ENCODERS[name]())
    mask = np.stack([REAL, ~REAL, REAL & REAL[::-1]], axis=1)
    trace = layer.trace(DOCUMENTS, mask=mask)
    assert seen_at(trace, "vectors", [{"example": 0}, {"example": 1}])


def test_a_reader_of_a_grid_is_asked_again():
    reader = layers.GridAttention(3, "tanh")
    layer = trained(layers.PervasiveAttention(2, 1, reader=reader), QUERY, VALUE)
    real = np.array([[1, 0, 1], [1, 1, 1]], bool)
    trace = layer.trace(QUERY, VALUE, query_mask=real, value_mask=REAL)
    for query in range(3):
        assert not wrong(trace, query=query)
        context = np.array(trace.context)
        context[0, 0, query, 0] += 1e-3
        assert "context" in wrong(replace(trace, context=context), query=query)


def test_delays_that_a_batch_shares():
    layer = layers.AutoCorrelation(2, 2, factor=1.5)
    trace = layer.trace(DOCUMENTS[:, 0], training=True)
    assert not wrong(trace, query=1, example=1)
    scores = np.array(trace.scores)  # so that another delay is the best on average
    scores[:, 0, 0, np.argmin(scores.mean(0)[0, 0])] += 10.0
    assert "delays" in wrong(replace(trace, scores=scores), query=1, example=1)
