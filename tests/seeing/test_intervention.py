"""A model reads with other weights, and is afterwards what it was."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.seeing.intervention import intervening

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
Y = RNG.normal(size=(2, 7, 8)).astype("float32")
KEEP = np.arange(7) < np.array([[7], [4]])
SHOWN = np.ones((2, 1, 1, 7), bool)
SHOWN[0, ..., 2] = SHOWN[1, ..., 0] = False

HEADS = {
    "ours": lambda: regard.layers.MultiHeadAttention(2, 4),
    "window": lambda: regard.layers.MultiHeadAttention(2, 4, sliding_window=3),
    "groups": lambda: regard.layers.GroupedQueryAttention(4, 4, 2),
    "keras": lambda: layers.MultiHeadAttention(2, 4),
    "keras dropout": lambda: layers.MultiHeadAttention(2, 4, dropout=0.3),
    "keras groups": lambda: layers.GroupQueryAttention(4, 4, 2),
}
PAIRS = {
    "ours additive": lambda: regard.layers.AdditiveAttention(6),
    "ours sparse": lambda: regard.layers.DotAttention(normalizer="sparsemax"),
    "keras dot": layers.Attention,
    "keras concat": lambda: layers.Attention(score_mode="concat"),
    "keras additive": layers.AdditiveAttention,
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def called(layer, mask=KEEP, **options):
    if isinstance(layer, (layers.Attention, layers.AdditiveAttention)):
        return numpy(layer([X, Y], mask=[None, ops.convert_to_tensor(mask)], **options))
    return numpy(layer(X, Y, value_mask=ops.convert_to_tensor(mask), **options))


@pytest.mark.parametrize("name", {**HEADS, **PAIRS})
def test_the_identity_changes_nothing_and_nothing_stays(name):
    layer = {**HEADS, **PAIRS}[name]()
    before = called(layer)
    own = dict(vars(layer))
    seen = []

    def same(weights, mask):
        seen.append((weights.shape, mask.shape))
        return weights

    with intervening(layer, change=same):
        during = called(layer)
    heads = getattr(layer, "num_heads", getattr(layer, "num_query_heads", 1))
    assert seen == [((2, heads, 5, 7),) * 2]
    assert_allclose(during, before, atol=1e-6)
    assert_array_equal(called(layer), before)
    assert dict(vars(layer)) == own


@pytest.mark.parametrize("name", {**HEADS, **PAIRS})
def test_a_hidden_key_is_one_that_the_mask_hides(name):
    layer = {**HEADS, **PAIRS}[name]()
    hidden = called(layer, mask=KEEP & SHOWN[:, 0, 0])
    assert np.abs(hidden - called(layer)).max() > 1e-3
    with intervening(layer, shown=SHOWN):
        assert_allclose(called(layer), hidden, atol=1e-6)


@pytest.mark.parametrize("name", ["ours", "keras", "keras dot"])
def test_a_query_that_is_left_nothing_reads_nothing(name):
    layer, seen = {**HEADS, **PAIRS}[name](), []
    shown = np.ones((2, 1, 5, 7), bool)
    shown[0, :, 3] = False
    called(layer)

    def look(weights, mask):
        seen.append(numpy(weights))
        return weights

    with intervening(layer, shown=shown, change=look):
        called(layer)
    assert (seen[0][0, :, 3] == 0).all()
    assert_allclose(seen[0].sum(-1)[:, :, [0, 4]], 1, rtol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_times_nothing_is_taken_out_of_the_sum(name):
    layer = HEADS[name]()
    called(layer)
    joined = layer._output_dense if "keras" in name else layer.output_dense
    kernel = numpy(joined.kernel)
    with regard.capture(layer) as maps:
        called(layer)
    trace = maps[layer.path]
    value = np.repeat(trace.value, len(kernel) // trace.value.shape[1], axis=1)
    context = trace.weights @ value
    context[:, 1] = 0
    expected = np.einsum("bhtd,hdo->bto", context, kernel) + numpy(joined.bias)
    factors = np.ones((1, len(kernel), 1, 1), "float32")
    factors[0, 1] = 0
    factors = ops.convert_to_tensor(factors)
    with intervening(layer, change=lambda weights, mask: weights * factors):
        assert_allclose(called(layer), expected, atol=1e-5)


def test_several_axes_of_keras_come_back_in_their_places():
    layer = layers.MultiHeadAttention(2, 4, attention_axes=(2,))
    grid = RNG.normal(size=(2, 3, 5, 8)).astype("float32")
    before = numpy(layer(grid, grid))
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(grid, grid)), before, atol=1e-6)


def test_a_whole_model_with_all_kinds_inside():
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(10, 8, mask_zero=True)(tokens)
    x = layers.MultiHeadAttention(2, 4, name="keras")(x, x)
    x = regard.layers.MultiHeadAttention(2, 4, name="ours")(x)
    x = regard.layers.AttentionPooling(name="pooling")(x)
    model = keras.Model(tokens, layers.Dense(3)(x))
    ids = np.array([[1, 2, 3, 4, 5, 6], [7, 8, 9, 0, 0, 0]], "int32")
    before = numpy(model(ids))
    with intervening(model, "pooling", lambda w, mask: ops.cast(mask, w.dtype) / 3):
        with regard.capture(model, "pooling") as maps:
            changed = numpy(model(ids))
            predicted = model.predict(ids, verbose=0)
    assert_allclose(predicted, changed, atol=1e-6)
    assert_allclose(maps["pooling"][0].weights[1, 0, 0, :3], 1 / 3, rtol=1e-6)
    assert np.abs(changed - before).max() > 1e-4
    with intervening(model, change=lambda weights, mask: weights):
        assert_allclose(numpy(model(ids)), before, atol=1e-6)
    assert_array_equal(numpy(model(ids)), before)


def test_attention_inside_another_layer_is_changed_too():
    layer = regard.layers.MultiHeadPooling(2, 4)
    before = numpy(layer(Y))
    with intervening(layer, change=lambda weights, mask: weights * 0):
        assert np.abs(numpy(layer(Y)) - before).max() > 1e-4


def test_a_recurrent_decoder_reads_with_changed_weights_at_every_step():
    attention = regard.layers.AdditiveAttention(4)
    layer = regard.layers.AttentionDecoder(attention, layers.GRUCell(6))
    before, seen = numpy(layer(X, Y)), []

    def last(weights, mask):
        seen.append(tuple(weights.shape))
        return ops.ones_like(weights) * ops.one_hot(6, 7)

    with intervening(layer, change=last):
        found = numpy(layer(X, Y))
    assert set(seen) == {(2, 1, 1, 7)}
    only = numpy(layer(X, Y[:, 6:]))
    assert_allclose(found, only, atol=1e-5)
    assert np.abs(found - before).max() > 1e-3


def test_everything_is_put_back_after_an_exception():
    layer = layers.MultiHeadAttention(2, 4)
    before, own = called(layer), dict(vars(layer))

    def broken(weights, mask):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        with intervening(layer, change=broken):
            called(layer)
    assert dict(vars(layer)) == own
    assert_array_equal(called(layer), before)


def test_a_layer_without_such_weights_is_named():
    layer = regard.layers.LinformerAttention(2, 4, rows=3, maximum_length=5)
    with pytest.raises(ValueError, match="table of weights"):
        with intervening(layer, change=lambda weights, mask: weights):
            layer(X)
    with pytest.raises(ValueError, match="layers must name"):
        with intervening(regard.layers.DotAttention(), "other"):
            pass
