"""Normalizers whose rows need not sum to one, or that have options or weights."""

import keras
import numpy as np
import pytest
from hypothesis import given
from keras import ops

from regard import layers
from regard.core import normalizers as parts
from tests.conformance.gradients import gradients
from tests.core.strategies import masks, moderate, score_rows
from tests.reference import normalizers as reference

CASES = {
    "entmax": (parts.Entmax(), reference.entmax),
    "entmax_1.2": (parts.Entmax(1.2), lambda s: reference.entmax(s, 1.2)),
    "entmax_3": (parts.Entmax(3.0), lambda s: reference.entmax(s, 3.0)),
    "sigmoid": (parts.Sigmoid(), reference.sigmoid),
    "sigmoid_bare": (parts.Sigmoid(0.0), lambda s: reference.sigmoid(s, 0.0)),
    "off_by_one": (parts.OffByOne(), reference.off_by_one),
    "top_k": (parts.TopK(2), lambda s: reference.top_k(s, 2)),
    "relu": (parts.Rectified(), reference.relu),
    "relu_squared": (parts.Rectified(2), lambda s: reference.relu(s, 2)),
    "softpick": (parts.Softpick(), reference.softpick),
    "hardmax": (parts.Hardmax(), reference.hardmax),
    "soft_cap": (parts.SoftCap(2.0), lambda s: reference.soft_cap(s, 2.0)),
    "soft_cap_sigmoid": (
        parts.SoftCap(3.0, "sigmoid"),
        lambda s: reference.soft_cap(s, 3.0, reference.sigmoid),
    ),
}
every_case = pytest.mark.parametrize("name", CASES)
every_slope = pytest.mark.parametrize("name", [n for n in CASES if n != "hardmax"])


def weigh(part, scores, mask=None, *weights):
    mask = None if mask is None else ops.convert_to_tensor(mask)
    return ops.convert_to_numpy(part(ops.convert_to_tensor(scores), mask, *weights))


def slope_of(loss, values):
    """The gradient of a function of one array."""
    return gradients(Weightless(), loss, {"values": values})[1]["values"]


class Weightless(keras.layers.Layer):
    """Gradients are asked of a layer; this one has no weights."""


@every_case
@moderate
@given(score_rows(), masks())
def test_equals_the_reference_on_visible_keys(name, scores, mask):
    part, row = CASES[name]
    expected = np.zeros(scores.shape)
    for place, (values, visible) in enumerate(zip(scores, mask, strict=True)):
        if visible.any():
            expected[place, visible] = row(values[visible].astype("float64"))
    found = weigh(part, scores, mask)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-5)


@every_slope
def test_gradients_are_those_of_the_reference(name):
    part, row = CASES[name]
    random = np.random.default_rng(7)
    scores = random.normal(size=(4, 6)).astype("float32")
    direction = random.normal(size=(4, 6))
    weight = ops.convert_to_tensor(direction.astype("float32"))
    found = slope_of(lambda values: ops.sum(part(values) * weight), scores)
    expected, step = np.zeros((4, 6)), 1e-5
    for place in np.ndindex(4, 6):
        up, down = scores.astype("float64"), scores.astype("float64")
        up[place] += step
        down[place] -= step
        change = row(up[place[0]]) - row(down[place[0]])
        expected[place] = change @ direction[place[0]] / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@every_slope
def test_rows_that_see_nothing_are_zero_with_gradient_zero(name):
    part, _ = CASES[name]
    scores = np.array([[1.0, -2.0, 3.0], [4.0, 0.5, 0.0]], "float32")
    mask = ops.convert_to_tensor(np.array([[False] * 3, [True, False, True]]))
    slope = slope_of(lambda values: ops.sum(ops.square(part(values, mask))), scores)
    found = ops.convert_to_numpy(part(ops.convert_to_tensor(scores), mask))
    assert (found[0] == 0).all() and found[1, 1] == 0
    assert np.isfinite(slope).all() and (slope[0] == 0).all()


@every_case
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_large_scores_stay_finite(name, size):
    part, _ = CASES[name]
    scores = np.array([[size, -size, 0.0], [-size, -size, -size]], "float32")
    if name == "relu_squared" and size > 1e18:
        scores = np.sqrt(np.abs(scores)) * np.sign(scores)  # squares must fit
    assert np.isfinite(weigh(part, scores)).all()


def test_a_learned_alpha_has_the_gradient_of_the_reference():
    random = np.random.default_rng(5)
    scores = random.normal(size=(1, 1, 3, 6)).astype("float32")
    direction = random.normal(size=(3, 6))
    weight = ops.convert_to_tensor(direction.astype("float32"))
    part = parts.Entmax(1.4, learn_alpha=True)
    logit = np.log(0.4 / 0.6)

    def loss(values):
        tensor = ops.convert_to_tensor(scores)
        return ops.sum(part(tensor, None, values)[0, 0] * weight)

    found = slope_of(loss, np.array([logit], "float32"))

    def at(value):
        alpha = 1 + 1 / (1 + np.exp(-value))
        rows = [
            reference.entmax(each.astype("float64"), alpha) for each in scores[0, 0]
        ]
        return np.sum(np.array(rows) * direction)

    expected = (at(logit + 1e-5) - at(logit - 1e-5)) / 2e-5
    np.testing.assert_allclose(found, [expected], rtol=1e-3)


def test_sinks_take_weight_from_each_head_by_its_own_logit():
    scores = np.random.default_rng(2).normal(size=(2, 2, 3, 5)).astype("float32")
    sinks = np.array([0.7, -1.5], "float32")
    found = weigh(parts.Sinks(), scores, None, ops.convert_to_tensor(sinks))
    for place in np.ndindex(2, 2, 3):
        expected = reference.off_by_one(
            scores[place].astype("float64"), sinks[place[1]]
        )
        np.testing.assert_allclose(found[place], expected, rtol=1e-5)


def test_slots_share_every_key_out_and_then_average():
    scores = np.random.default_rng(4).normal(size=(1, 1, 3, 5)).astype("float32")
    shares = np.exp(scores) / np.exp(scores).sum(-2, keepdims=True)
    expected = shares / (shares.sum(-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(weigh(parts.Slot(), scores), expected, rtol=1e-5)


def test_where_queries_compete_no_single_step_is_taken():
    layer = layers.DotAttention(normalizer="slot")
    layer.build((None, None, 4), (None, None, 4))
    with pytest.raises(ValueError, match="normalizer must work row by row"):
        layer.prepare(ops.ones((1, 3, 4)))


def test_a_gate_has_no_heads_and_so_no_weights_per_head():
    with pytest.raises(ValueError, match="normalizer must work on one row"):
        layers.FeatureGate(normalizer="sinks")


@pytest.mark.parametrize("name", ["sinks", "entmax"])
def test_weights_of_a_normalizer_are_saved_with_the_layer(name, tmp_path):
    part = parts.Entmax(1.5, True) if name == "entmax" else parts.Sinks(0.5)
    inputs = keras.Input((None, 4))
    layer = layers.MultiHeadAttention(2, 3, normalizer=part)
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([each + 0.1 for each in model.get_weights()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), again.predict(x, verbose=0)
    )
    assert len(model.weights) == 9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: parts.Entmax(0.5), "alpha must be at least 1"),
        (lambda: parts.Entmax(2.0, True), "alpha must lie strictly"),
        (lambda: parts.TopK(0), "k must be a positive integer"),
        (lambda: parts.Rectified(3), "power must be 1 or 2"),
    ],
)
def test_options_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_cap_has_the_weights_of_what_it_caps():
    layer = layers.MultiHeadAttention(2, 3, normalizer=parts.SoftCap(5.0, "sinks"))
    x = np.random.default_rng(1).normal(size=(2, 4, 6)).astype("float32")
    layer(x)
    assert [tuple(w.shape) for w in layer.part_weights["normalizer"]] == [(2,)]
    again = layers.MultiHeadAttention.from_config(layer.get_config())
    assert again.normalizer == layer.normalizer
    assert again.normalizer.inner == parts.Sinks() and again.normalizer.has_weights
    assert not parts.SoftCap(5.0, "slot").rowwise
    assert not parts.SoftCap(5.0, "sigmoid").distribution


@pytest.mark.parametrize("wrong", [0, -1.0, True, "50", None])
def test_a_cap_is_a_positive_number(wrong):
    with pytest.raises(ValueError, match=r"cap must be a positive number. Got"):
        parts.SoftCap(wrong)


def test_of_equal_scores_hardmax_takes_the_first():
    scores = np.array([[1.0, 5.0, 5.0, 5.0]], "float32")
    mask = np.array([[True, False, True, True]])
    np.testing.assert_array_equal(weigh(parts.Hardmax(), scores), [[0, 1, 0, 0]])
    np.testing.assert_array_equal(weigh(parts.Hardmax(), scores, mask), [[0, 0, 1, 0]])


def test_hardmax_trains_what_is_read_and_not_what_chooses():
    rng = np.random.default_rng(2)
    query, value, key = (
        rng.normal(size=(1, n, 4)).astype("float32") for n in (2, 3, 3)
    )
    layer = layers.DotAttention(normalizer="hardmax")
    _, weights = layer(query, value, key, return_attention_scores=True)
    inputs = {"query": query, "value": value, "key": key}
    _, slopes, _ = gradients(layer, lambda **each: ops.sum(layer(**each)), inputs)
    assert (slopes["query"] == 0).all() and (slopes["key"] == 0).all()
    read = ops.convert_to_numpy(weights).sum(1)[0, :, None] * np.ones(4)
    np.testing.assert_allclose(slopes["value"][0], read)
    hidden = np.zeros((1, 3), bool)
    assert (
        ops.convert_to_numpy(layer(query, value, key, value_mask=hidden)) == 0
    ).all()
