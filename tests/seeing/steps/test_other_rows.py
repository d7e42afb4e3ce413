"""Weights beside those of the row that is told are computed too, and checked."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import regard
from regard import layers, normalizers

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
if keras.backend.backend() != "torch":  # what is recorded is the same
    PAIRS = {"value_weights": PAIRS["value_weights"]}


def faulty(trace, name):
    """The trace with one number of an array of its own wrong by 1e-3."""
    broken = np.array(trace.extra[name])
    broken.reshape(-1)[np.argmax(np.abs(broken))] += 1e-3
    return replace(trace, extra={**trace.extra, name: broken})


def wrong(trace, **place):
    steps = regard.explain(trace, **place)
    return [each.what for each in steps.checks if not each.passed]


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


@pytest.mark.parametrize("part", LOOKS)
@pytest.mark.parametrize("name", ["gathered", "answered"])
def test_both_looks_of_a_set(name, part):
    layer = layers.InducedSetBlock(2, 4, 3, normalizer=LOOKS[part])
    layer(VALUE)
    rng = np.random.default_rng(4)
    for each in layer.trainable_variables:
        each.assign(rng.normal(size=each.shape))
    trace = layer.trace(VALUE, mask=REAL)
    where = np.ndindex(2, 2, 5)
    names = ("example", "head", "query")
    places = [dict(zip(names, each, strict=True)) for each in where]
    assert seen_at(trace, name, places)
