"""Masks of Keras' attention layers: lost, ignored, inverted, misread."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.layers import AdditiveAttention, DotAttention, MultiHeadAttention

RNG = np.random.default_rng(20)
X = RNG.normal(size=(2, 5, 6)).astype("float32")
TOKENS = np.array([[3, 7, 0, 0, 0], [4, 5, 6, 2, 1]])
KEEP = TOKENS > 0


def numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def attention():
    return MultiHeadAttention(2, 3)


def embedded():
    return keras.layers.Embedding(9, 6, mask_zero=True)(TOKENS)


def test_k01_the_callers_tensors_keep_their_mask():
    x = embedded()
    mask = x._keras_mask
    attention()(x, x)
    assert x._keras_mask is mask
    assert_array_equal(numpy(mask), KEEP)


def test_k01_two_decoder_layers_over_one_memory_both_see_its_mask():
    memory = embedded()
    query = X[:, :3]
    for _ in range(2):
        _, weights = attention()(query, memory, return_attention_scores=True)
        assert (numpy(weights)[0, :, :, 2:] == 0).all()


def test_k01_post_norm_blocks_never_attend_to_padding():
    x = embedded()
    for _ in range(3):
        read, weights = attention()(x, x, return_attention_scores=True)
        x = keras.layers.LayerNormalization()(keras.layers.Add()([x, read]))
        assert (numpy(weights)[0, :, :, 2:] == 0).all()


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_k02_asking_for_scores_does_not_change_the_output(dropout):
    layer = MultiHeadAttention(2, 3, dropout=dropout)
    for options in ({}, {"query_mask": KEEP}, {"value_mask": KEEP & False}):
        silent = numpy(layer(X, X, **options))
        asked, _ = layer(X, X, return_attention_scores=True, **options)
        assert_array_equal(numpy(asked), silent)


def test_k02_a_row_that_sees_nothing_is_zero_with_and_without_dropout():
    for dropout in (0.0, 0.1):
        layer = MultiHeadAttention(2, 3, use_bias=False, dropout=dropout)
        output = numpy(layer(X, X, attention_mask=np.zeros((5, 5), bool)))
        assert_array_equal(output, np.zeros_like(output))


def test_k03_query_mask_is_honoured():
    layer = MultiHeadAttention(2, 3, use_bias=False)
    output = numpy(layer(X, X, query_mask=KEEP))
    assert (output[0, 2:] == 0).all() and (output[0, :2] != 0).any()


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("make", [DotAttention, lambda **o: AdditiveAttention(4, **o)])
def test_k05_left_padding_with_a_causal_mask_in_half_precision(make, kind):
    layer = make(dtype=kind)
    left = KEEP[:, ::-1]  # the first example starts with padding
    output, weights = layer(
        X, X, value_mask=left, use_causal_mask=True, return_attention_scores=True
    )
    output, weights = (
        numpy(keras.ops.cast(each, "float32")) for each in (output, weights)
    )
    assert np.isfinite(output).all()
    assert_array_equal(output[0, :3], np.zeros((3, 6)))
    assert_array_equal(weights[0, :3], np.zeros((3, 5)))
    assert_allclose(weights[0, 3:].sum(-1), 1, atol=0.01)


def test_k06_a_masked_row_in_half_precision_does_not_ignore_its_mask():
    layer = MultiHeadAttention(2, 3, use_bias=False, dtype="float16")
    mask = np.ones((2, 5, 5), bool)
    mask[:, 1] = False
    output = numpy(layer(X, X, attention_mask=mask))
    assert_array_equal(output[:, 1], np.zeros((2, 6)))


def test_k09_one_query_over_a_cache_sees_all_of_it():
    _, weights = DotAttention()(
        X[:, -1:], X, use_causal_mask=True, return_attention_scores=True
    )
    assert (numpy(weights) > 0).all()
    _, square = DotAttention()(X, X, use_causal_mask=True, return_attention_scores=True)
    assert_allclose(numpy(weights)[:, 0], numpy(square)[:, -1], rtol=1e-5)


@pytest.mark.parametrize("make", [attention, DotAttention])
def test_k10_an_additive_float_mask_is_refused(make):
    additive = np.where(KEEP, 0.0, -1e9).astype("float32")
    with pytest.raises(ValueError, match=r"value_mask must be boolean.*bias="):
        make()(X, X, value_mask=additive)
    pairs = np.zeros((5, 5), "float32")
    with pytest.raises(ValueError, match=r"attention_mask must be boolean.*bias="):
        make()(X, X, attention_mask=pairs)


def test_k11_a_window_shows_as_many_keys_as_it_says():
    layer = MultiHeadAttention(1, 3, sliding_window=2)
    _, weights = layer(X, X, return_attention_scores=True)
    near = np.abs(np.subtract.outer(range(5), range(5))) < 2
    assert_array_equal(numpy(weights)[0, 0] > 0, near)
    _, causal = DotAttention(scope=regard.Window(1))(X, X, return_attention_scores=True)
    assert_array_equal((numpy(causal)[0] > 0).sum(-1), [1, 2, 2, 2, 2])


def test_k12_three_axes_mean_batch_even_when_there_are_as_many_heads():
    mask = np.ones((2, 5, 5), bool)
    mask[0, :, 2:] = False
    layer = MultiHeadAttention(2, 3)
    _, weights = layer(X, X, attention_mask=mask, return_attention_scores=True)
    weights = numpy(weights)
    assert (weights[0, :, :, 2:] == 0).all()  # both heads of the first example
    assert (weights[1] > 0).all()


def test_k12_bias_and_mask_go_together():
    bias = RNG.normal(size=(1, 2, 5, 5)).astype("float32")
    mask = np.tril(np.ones((5, 5), bool))
    _, weights = attention()(
        X, X, bias=bias, attention_mask=mask, return_attention_scores=True
    )
    assert_allclose(numpy(weights).sum(-1), 1, atol=1e-6)
    assert (numpy(weights)[:, :, ~mask] == 0).all()


def test_k18_a_list_of_three_masks_includes_that_of_the_keys():
    layer = DotAttention()
    listed = numpy(layer([X, X, X], mask=[None, None, KEEP]))
    assert_array_equal(listed, numpy(layer(X, X, X, key_mask=KEEP)))
    assert np.abs(listed - numpy(layer(X, X, X))).max() > 1e-3


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("where", ["value", "key"])
def test_k20_junk_under_the_mask_does_not_leak(where, junk):
    for layer in (attention(), DotAttention(), AdditiveAttention(4)):
        clean = numpy(layer(X, X, X, value_mask=KEEP))
        spoilt = np.where(KEEP[..., None], X, np.float32(junk))
        value, key = (spoilt, X) if where == "value" else (X, spoilt)
        found = numpy(layer(X, value, key, value_mask=KEEP))
        assert_allclose(found, clean, rtol=1e-6, atol=1e-7)


def test_k22_a_mask_of_query_by_key_is_accepted_and_a_padding_mask_explained():
    triangle = np.tril(np.ones((5, 5), bool))
    layer = attention()
    expected = numpy(layer(X, X, use_causal_mask=True))
    assert_allclose(numpy(layer(X, X, attention_mask=triangle)), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"goes to value_mask="):
        layer(X, X, attention_mask=KEEP)


def test_h2_implicit_masks_reach_the_weights():
    x = embedded()
    for layer in (attention(), DotAttention(), AdditiveAttention(4)):
        _, weights = layer(x, x, return_attention_scores=True)
        assert (numpy(weights)[0, ..., 2:] == 0).all()


def test_h2_a_prepared_memory_keeps_its_padding_hidden():
    layer = attention()
    x = numpy(embedded())
    layer(x, x)
    memory = layer.prepare(x, value_mask=KEEP)
    query = keras.ops.convert_to_tensor(x[:, 0])
    _, weights, _ = layer.step(query, memory, layer.initial_state(memory))
    assert (numpy(weights)[0, :, 2:] == 0).all()


def test_implicit_masks_arrive_in_the_list_form_too():
    x = embedded()
    for layer in (attention(), DotAttention(), AdditiveAttention(4)):
        _, weights = layer([x, x], return_attention_scores=True)
        assert (numpy(weights)[0, ..., 2:] == 0).all()


def test_implicit_masks_of_a_functional_model_reach_every_block():
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 6, mask_zero=True)(tokens)
    shown = []
    for _ in range(2):
        read, weights = attention()(x, x, return_attention_scores=True)
        x = keras.layers.Add()([x, read])
        shown.append(weights)
    model = keras.Model(tokens, shown)
    for weights in model.predict(TOKENS, verbose=0):
        assert (weights[0, :, :2, 2:] == 0).all()
        assert_allclose(weights[0, :, :2].sum(-1), 1, atol=1e-6)
