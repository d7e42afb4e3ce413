"""Defects of other packages' attention, each with the case that shows it."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import normalizers
from regard.layers import (
    AttentionPooling,
    DotAttention,
    LocationAttention,
    MultiHeadAttention,
)

RNG = np.random.default_rng(22)
X = RNG.normal(size=(2, 5, 6)).astype("float32")
NAMES = ["softmax", "sparsemax", "entmax15"]


def numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def test_emptiness_is_judged_after_all_masks_are_joined():
    """Left padding and a causal mask: neither empties the row, both together do."""
    left = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
    _, weights = MultiHeadAttention(2, 3)(
        X, value_mask=left, use_causal_mask=True, return_attention_scores=True
    )
    weights = numpy(weights)
    assert_array_equal(weights[0, :, :2], np.zeros((2, 2, 5)))
    assert (weights[:, :, ~np.tril(np.ones((5, 5), bool))] == 0).all()
    assert_allclose(weights[0, :, 2:].sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_keys_does_not_crash_a_sparse_normalizer(name):
    scores = np.full((1, 4), -np.inf, "float32")
    weights = normalizers.get(name)(
        keras.ops.convert_to_tensor(scores), keras.ops.zeros((1, 4), dtype="bool")
    )
    assert_array_equal(numpy(weights), np.zeros((1, 4)))


@pytest.mark.parametrize("name", NAMES)
def test_hidden_large_scores_do_not_underflow_the_visible_ones(name):
    scores = keras.ops.convert_to_tensor(np.array([[-200.0, -201.0, 5.0]], "float32"))
    mask = keras.ops.convert_to_tensor(np.array([[True, True, False]]))
    expected = {
        "softmax": [0.7310586, 0.2689414, 0],
        "sparsemax": [1, 0, 0],
        "entmax15": [0.8306, 0.1694, 0],
    }
    weights = numpy(normalizers.get(name)(scores, mask))[0]
    assert_allclose(weights, expected[name], atol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_long_rows_in_half_precision_still_sum_to_one(name):
    keys = keras.ops.convert_to_tensor(RNG.normal(size=(1, 4096, 8)).astype("float16"))
    layer = DotAttention(normalizer=name, dtype="float16")
    _, weights = layer(keys[:, :2], keys, return_attention_scores=True)
    total = numpy(keras.ops.sum(keras.ops.cast(weights, "float32"), axis=-1))
    assert_allclose(total, 1, atol=2e-3)


def test_a_window_of_the_past_holds_one_key_more_than_it_looks_back():
    from regard import Window

    counts = numpy(Window(4).dense(9)).sum(-1)
    assert counts.max() == 5


def test_padding_that_nobody_declared_is_not_invented():
    """Lengths that are no multiple of a block see no zero keys."""
    long = RNG.normal(size=(1, 37, 6)).astype("float32")
    _, weights = DotAttention()(long, return_attention_scores=True)
    assert weights.shape == (1, 37, 37)
    assert_allclose(numpy(weights).sum(-1), 1, atol=1e-5)


def test_a_mask_for_all_queries_may_have_one_row():
    row = np.array([[[1, 1, 0, 1, 0]], [[1, 0, 1, 1, 1]]], bool)
    layer = MultiHeadAttention(2, 3)
    wide = np.broadcast_to(row, (2, 5, 5))
    expected = numpy(layer(X, attention_mask=wide, use_causal_mask=True))
    for mask in (row, row[:, None]):
        found = numpy(layer(X, attention_mask=mask, use_causal_mask=True))
        assert_array_equal(found, expected)


def test_location_attention_does_not_lose_mass_to_padding():
    layer = LocationAttention(50)
    keep = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    _, weights = layer(X, value_mask=keep, return_attention_scores=True)
    assert_allclose(numpy(weights).sum(-1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="at most maximum_length = 4"):
        LocationAttention(4)(X)


def test_pooling_has_one_bias_for_all_times_so_that_any_length_works():
    layer = AttentionPooling()
    layer(X)
    assert [tuple(w.shape) for w in layer.weights] == [(6,), ()]
    assert numpy(layer(X[:, :2])).shape == (2, 6)


def test_pooling_leaves_no_epsilon_in_the_sum_of_the_weights():
    _, weights = AttentionPooling()(X, return_attention_scores=True)
    assert_allclose(numpy(weights).sum(-1), 1, rtol=3e-7)


def test_layers_of_the_recurrent_decoders_can_be_saved(tmp_path):
    """No encoder memory is kept on a layer, so a model with one saves and loads."""
    query, value = keras.Input((None, 6)), keras.Input((None, 6))
    model = keras.Model([query, value], MultiHeadAttention(2, 3)(query, value))
    expected = numpy(model([X, X]))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert_array_equal(numpy(again([X[:1], X[:1]])), numpy(model([X[:1], X[:1]])))
    assert_array_equal(numpy(again([X, X])), expected)
