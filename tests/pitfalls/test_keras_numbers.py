"""Overflow, shapes, returned weights and configurations of Keras' layers."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard.layers import (
    AdditiveAttention,
    AttentionPooling,
    DotAttention,
    MultiHeadAttention,
)

RNG = np.random.default_rng(21)
QUERY = RNG.normal(size=(2, 3, 4)).astype("float32")
VALUE = RNG.normal(size=(2, 5, 7)).astype("float32")
KEY = RNG.normal(size=(2, 5, 6)).astype("float32")


def numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))


@pytest.mark.parametrize("asked", [False, True])
def test_k04_values_may_be_wider_than_keys(asked):
    layer = MultiHeadAttention(2, 4, value_dim=6)
    result = layer(QUERY, VALUE, KEY, return_attention_scores=asked)
    output = numpy(result[0] if asked else result)
    assert output.shape == (2, 3, 4) and np.isfinite(output).all()


def test_k07_logits_beyond_the_range_of_half_precision():
    large = np.full((1, 3, 8), 160.0, "float16")  # products of 204800
    large[0, 1] *= -1
    for layer in (
        DotAttention(dtype="float16"),
        MultiHeadAttention(2, 3, dtype="float16"),
    ):
        output, weights = layer(large, large, return_attention_scores=True)
        assert np.isfinite(numpy(output)).all()
        assert_allclose(numpy(weights).sum(-1), 1, atol=1e-2)
    _, weights = DotAttention(dtype="float16")(
        large, large, return_attention_scores=True
    )
    assert_array_equal(numpy(weights)[0], [[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]])


def test_k08_low_logits_of_visible_keys_keep_their_mass():
    query = np.array([[[-200.0]]], "float16")
    key = np.array([[[200.0], [200.5], [5.0]]], "float16")  # -40000, -40100, hidden
    mask = np.array([[True, True, False]])
    _, weights = DotAttention(dtype="float16")(
        query, key, value_mask=mask, return_attention_scores=True
    )
    assert_allclose(numpy(weights)[0, 0], [1, 0, 0], atol=1e-3)


def test_k08_scores_and_bias_far_below_any_fill_value():
    bias = np.array([[[[-4e4, -4e4 - 1, 0.0]]]], "float32")
    value = np.eye(3, dtype="float32")[None]
    mask = np.array([[True, True, False]])
    output = DotAttention()(
        np.zeros((1, 1, 3), "float32"), value, value_mask=mask, bias=bias
    )
    expected = 1 / (1 + np.exp(-1))
    assert_allclose(numpy(output)[0, 0], [expected, 1 - expected, 0], atol=1e-6)


def test_k13_symbolic_weights_have_the_shape_of_the_real_ones():
    layer = MultiHeadAttention(2, 3)
    inputs = [keras.Input(shape[1:]) for shape in (QUERY.shape, VALUE.shape)]
    output, weights = layer(*inputs, return_attention_scores=True)
    assert output.shape == (None, 3, 4) and weights.shape == (None, 2, 3, 5)
    real_output, real_weights = keras.Model(inputs, [output, weights])([QUERY, VALUE])
    assert real_output.shape == (2, 3, 4) and real_weights.shape == (2, 2, 3, 5)


def test_k14_all_three_widths_may_differ():
    for layer in (MultiHeadAttention(2, 3), AdditiveAttention(8)):
        output = layer(QUERY, VALUE, KEY)
        assert np.isfinite(numpy(output)).all()


def test_k15_every_option_survives_and_none_is_kept_half():
    layer = MultiHeadAttention(
        2,
        3,
        value_dim=5,
        dropout=0.1,
        use_bias=False,
        output_shape=9,
        kernel_initializer="he_normal",
        bias_initializer="ones",
        kernel_regularizer=keras.regularizers.L2(0.1),
        bias_regularizer="l1",
        activity_regularizer="l2",
        kernel_constraint="max_norm",
        bias_constraint="non_neg",
        use_gate=True,
        sliding_window=3,
        seed=5,
        normalizer="entmax15",
    )
    config = json.loads(json.dumps(layer.get_config()))
    again = MultiHeadAttention.from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config
    assert (again.sliding_window, again.use_gate, again.value_dim) == (3, True, 5)
    assert again.scope == layer.scope  # the window is not added twice
    with pytest.raises(ValueError, match="flash_attention"):
        MultiHeadAttention(2, 3, flash_attention=True)


@pytest.mark.parametrize("make", [DotAttention, AttentionPooling])
def test_k17_returned_weights_are_those_before_dropout(make):
    layer = make(dropout=0.5, seed=1)
    inputs = VALUE
    _, weights = layer(inputs, training=True, return_attention_scores=True)
    assert_allclose(numpy(weights).sum(-1), 1, atol=1e-6)
    _, calm = layer(inputs, training=False, return_attention_scores=True)
    assert_allclose(numpy(weights), numpy(calm), atol=1e-6)


def test_k19_additive_attention_never_holds_the_units_of_all_pairs():
    from regard import plan

    chosen = plan(AdditiveAttention(64), (1, 2048, 64), (1, 2048, 64))
    assert chosen.bytes < 300e6  # the units of all pairs are 1.1 GB


def test_k21_every_example_of_a_batch_has_its_own_mask():
    mask = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]], bool)
    layer = MultiHeadAttention(2, 3)
    _, weights = layer(QUERY, VALUE, KEY, value_mask=mask, return_attention_scores=True)
    seen = numpy(weights) > 0
    assert_array_equal(seen, np.broadcast_to(mask[:, None, None], seen.shape))
