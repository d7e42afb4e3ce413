"""Capturing reads Keras' own layers off and leaves their answers alone."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

import regard

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
Y = RNG.normal(size=(2, 7, 8)).astype("float32")
KEEP = np.arange(7) < np.array([[7], [4]])
CAUSAL = np.tril(np.ones((5, 7), bool))

HEADS = {
    "plain": lambda **more: layers.MultiHeadAttention(2, 4, **more),
    "dropout": lambda **more: layers.MultiHeadAttention(2, 4, dropout=0.3, **more),
    "gate": lambda **more: layers.MultiHeadAttention(2, 4, use_gate=True, **more),
    "window": lambda **more: layers.MultiHeadAttention(2, 4, sliding_window=2, **more),
    "groups": lambda **more: layers.GroupQueryAttention(4, 4, 2, **more),
}
PAIRS = {
    "dot": layers.Attention,
    "scaled": lambda: layers.Attention(use_scale=True),
    "concat": lambda: layers.Attention(score_mode="concat"),
    "additive": layers.AdditiveAttention,
    "dropout": lambda: layers.Attention(dropout=0.4),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def head_weights(layer, query, value, mask):
    """From the layer's own kernels, in float64."""
    query_kernel, query_bias, key_kernel, key_bias = (
        numpy(each).astype("float64")
        for dense in (layer._query_dense, layer._key_dense)
        for each in dense.weights
    )
    asked = np.einsum("btd,dhe->bhte", query, query_kernel) + query_bias[:, None]
    keys = np.einsum("bsd,dhe->bhse", value, key_kernel) + key_bias[:, None]
    keys = np.repeat(keys, asked.shape[1] // keys.shape[1], axis=1)
    scores = asked @ keys.swapaxes(2, 3) / np.sqrt(asked.shape[-1])
    powers = np.exp(scores) * mask
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("training", [False, True])
def test_several_heads_are_what_their_kernels_say(name, training):
    layer = HEADS[name](seed=3)
    options = {"value_mask": KEEP, "attention_mask": CAUSAL[None], "training": training}
    before = numpy(layer(X, Y, **options | {"training": False}))
    with regard.capture(layer) as maps:
        found = numpy(layer(X, Y, **options))
    (trace,) = maps[layer.path]
    mask = (KEEP[:, None, None] & CAUSAL) * np.ones(
        (1, layer._query_dense.weights[0].shape[1], 1, 1)
    )
    if name == "window":
        mask = mask * (np.abs(np.arange(5)[:, None] - np.arange(7)) < 2)
    expected = head_weights(layer, X, Y, mask)
    assert_allclose(trace.weights, expected, atol=1e-6)
    assert_allclose(np.broadcast_to(trace.mask, expected.shape), mask.astype(bool))
    assert {"padding", "causal"} <= set(trace.masks)
    assert ("window" in trace.masks) == (name == "window")
    if not training:
        assert_array_equal(found, before)
        assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_the_fused_causal_path_is_read_off_too(name):
    layer = HEADS[name]()
    before = numpy(layer(X, X, use_causal_mask=True))
    with regard.capture(layer) as maps:
        assert_array_equal(numpy(layer(X, X, use_causal_mask=True)), before)
    trace = maps[layer.path][-1]
    assert "causal" in trace.masks
    assert (trace.weights[..., ~np.tril(np.ones((5, 5), bool))] == 0).all()
    assert_allclose(trace.weights.sum(-1), 1, atol=1e-6)
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_single_heads_equal_what_keras_returns(name):
    layer = PAIRS[name]()
    mask = [None, KEEP]
    answer, weights = layer([X, Y], mask=mask, return_attention_scores=True)
    with regard.capture(layer) as maps:
        found = layer([X, Y], mask=mask)
        layer([X, Y], mask=mask, training=True, use_causal_mask=True)
    assert_array_equal(numpy(found), numpy(answer))
    trace, causal = maps[layer.path]
    assert_allclose(trace.weights[:, 0], numpy(weights), atol=1e-6)
    assert list(trace.masks) == ["padding"]
    assert set(causal.masks) == {"padding", "causal"}
    assert_allclose(causal.weights.sum(-1), 1, atol=1e-5)  # before dropout
    assert trace.scores.shape == trace.weights.shape == (2, 1, 5, 7)
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-6)


def test_axes_that_are_attended_become_one():
    layer = layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
    grid = RNG.normal(size=(2, 3, 4, 6)).astype("float32")
    before = numpy(layer(grid, grid))
    maps = regard.attend_to(layer, grid, grid)
    trace = maps[layer.path][0]
    assert trace.weights.shape == (2, 2, 12, 12)
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-6)
    assert_array_equal(numpy(layer(grid, grid)), before)
    rows = layers.MultiHeadAttention(2, 3, attention_axes=(2,))
    trace = regard.attend_to(rows, grid, grid)[rows.path][0]
    assert trace.weights.shape == (6, 2, 4, 4)
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-6)


def test_nothing_stays_after_an_exception(tmp_path):
    inputs = keras.Input((5, 8))
    output = layers.MultiHeadAttention(2, 4, name="heads")(inputs, inputs)
    model = keras.Model(inputs, layers.Attention(name="single")([output, output]))
    before = numpy(model(X))
    with pytest.raises(RuntimeError), regard.capture(model) as maps:
        model(X)
        raise RuntimeError
    assert list(maps) == ["heads", "single"]
    for name in maps:
        assert not [
            each for each in vars(model.get_layer(name)) if "compute_att" in each
        ]
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(again(X)), numpy(model(X)), atol=1e-6)
    assert np.abs(numpy(model(X)) - before).max() > 0


def test_predict_joins_batches_of_a_model_nobody_here_wrote():
    inputs = keras.Input((5, 8))
    output = layers.MultiHeadAttention(2, 4, name="heads")(inputs, inputs)
    model = keras.Model(inputs, output)
    many = RNG.normal(size=(5, 5, 8)).astype("float32")
    with regard.capture(model) as maps:
        model.predict(many, batch_size=2, verbose=0)
    assert maps["heads"].weights.shape == (5, 2, 5, 5)


def causal_and_bidirectional():
    hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")
    sizes = {"vocabulary_size": 30, "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
    sizes |= {"intermediate_dim": 12, "max_sequence_length": 16}
    return hub.models.GPT2Backbone(**sizes), hub.models.BertBackbone(**sizes)


def test_backbones_of_keras_hub():
    tokens = RNG.integers(1, 30, size=(2, 6))
    padding = np.arange(6) < np.array([[6], [4]])
    inputs = {"token_ids": tokens, "padding_mask": padding.astype("int32")}
    for model in causal_and_bidirectional():
        given = dict(inputs)
        if "segment_ids" in model.input:
            given["segment_ids"] = np.zeros_like(tokens)
        before = numpy(keras.tree.flatten(model(given))[0])
        maps = regard.attend_to(model, given)
        assert_array_equal(numpy(keras.tree.flatten(model(given))[0]), before)
        assert len(maps) == 2
        for name, (trace,) in maps.items():
            assert trace.weights.shape == (2, 2, 6, 6), name
            assert_allclose(trace.weights[1, :, :4].sum(-1), 1, atol=1e-5)
            assert (trace.weights[1, :, :4, 4:] == 0).all()
            assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-5)
