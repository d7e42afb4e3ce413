"""Batches of predict become one call, whatever a layer records."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard
from regard.seeing import reducing
from regard.seeing.joining import joined, same_lengths
from tests.conformance.cases import CASES
from tests.conformance.subject import call, subject_of

SAMPLE = (
    *("additive", "axial_width", "causal_linear", "deformable", "feature_gate"),
    *("decoder_bahdanau", "multi_head_causal", "multi_head_first_axis", "windows"),
)


def traces_of(case, parts):
    subject = subject_of(case)
    found = []
    for inputs in parts:
        with regard.capture(subject.layer) as maps:
            call(case, subject.layer, inputs)
        found.append(next(iter(maps.values()))[-1])
    return found


def named(trace):
    groups = {n: getattr(trace, n) for n in ("masks", "extra", "inputs")}
    flat = {f"{g}/{n}": each for g, all_ in groups.items() for n, each in all_.items()}
    return {**dict(trace.arrays()), **flat}


CHOSEN = [case for case in CASES if case.name in SAMPLE]


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_two_batches_are_what_all_examples_are_at_once(case):
    whole = subject_of(case).other_inputs("joining", batch=5)
    parts = [{name: each[p] for name, each in whole.items()} for p in np.s_[:2, 2:]]
    first, second, both = traces_of(case, [*parts, whole])
    assert same_lengths(first, second)
    found, expected = named(joined(first, second)), named(both)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert np.shape(found[name]) == np.shape(array), name
        assert_allclose(found[name], array, atol=1e-5, err_msg=name)


class Reading(keras.layers.Layer):
    """Attention along one axis of two."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.MultiHeadAttention(
            2, 3, attention_axes=(2,), name="mha"
        )

    def call(self, inputs):
        return self.inner(inputs, inputs)


def test_masks_of_two_axes_are_joined():
    words, keep = keras.Input((4, 6)), keras.Input((4,), dtype="bool")
    layer = regard.layers.AttentionPooling(name="pool")
    model = keras.Model([words, keep], layer(words, mask=keep))
    given = np.random.default_rng(0).normal(size=(5, 4, 6)).astype("float32")
    seen = np.arange(4) < np.array([[4], [2], [3], [1], [4]])
    with regard.capture(model) as maps:
        model.predict([given, seen], batch_size=2, verbose=0)
    (trace,) = maps["pool"]
    assert_allclose(trace.inputs["mask"], seen)
    assert_allclose(trace.inputs["inputs"], given)


def test_attended_axes_beside_the_batch_are_joined():
    inputs = keras.Input((3, 4, 6))
    model = keras.Model(inputs, Reading()(inputs))
    grid = np.random.default_rng(0).normal(size=(5, 3, 4, 6)).astype("float32")
    with regard.capture(model) as maps:
        model.predict(grid, batch_size=2, verbose=0)
    (calls,) = maps.values()
    (trace,) = calls
    assert trace.weights.shape == (15, 2, 4, 4)
    assert_allclose(trace.inputs["query"], grid)


def test_outlines_are_joined(monkeypatch):
    monkeypatch.setattr(reducing, "LARGEST", 10)
    layer, inputs = keras.layers.MultiHeadAttention(2, 3), keras.Input((4, 6))
    model = keras.Model(inputs, layer(inputs, inputs))
    given = np.random.default_rng(0).normal(size=(5, 4, 6)).astype("float32")
    with regard.capture(model) as maps:
        model.predict(given, batch_size=2, verbose=0)
        model(given)
    parts, whole = next(iter(maps.values()))
    assert parts.weights is None and parts.extra["entropy"].shape == (5, 2, 4)
    for name, array in whole.extra.items():
        assert_allclose(parts.extra[name], array, atol=1e-5, err_msg=name)
