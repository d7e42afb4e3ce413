"""What each stand-in does otherwise than its original; what faithful brings back."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import Window
from regard.compat import (
    attention_keras,
    kaggle,
    keras_attention,
    keras_self_attention,
)

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, 6, 4)).astype("float32")
KEEP = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_padding_got_weight_in_attention_keras():
    right = attention_keras.AttentionLayer()
    faithful = attention_keras.AttentionLayer(faithful=True)
    right([X, X]), faithful([X, X])
    faithful.set_weights(right.get_weights())
    weights = numpy(right([X, X], mask=[KEEP, None])[1])
    assert_array_equal(weights[0, :, 3:], 0)
    old = numpy(faithful([X, X], mask=[KEEP, None])[1])
    assert (old[0, :, 3:] > 0.05).all()
    assert_array_equal(old, numpy(faithful([X, X])[1]))


def test_the_contexts_carry_the_decoders_mask():
    encoder, decoder = keras.Input((6,)), keras.Input((3,))
    embedded = [
        keras.layers.Embedding(9, 4, mask_zero=True)(t) for t in (encoder, decoder)
    ]
    context, _ = attention_keras.AttentionLayer()(embedded)
    assert context._keras_mask.shape == (None, 3)


def test_the_mask_was_inverted_in_seq_self_attention():
    right = keras_self_attention.SeqSelfAttention(return_attention=True)
    faithful = keras_self_attention.SeqSelfAttention(
        return_attention=True, faithful=True
    )
    right(X), faithful(X)
    for layer in (right, faithful):  # every score is zero
        layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    weights = numpy(right(X, mask=KEEP)[1])[0]
    assert_array_equal(weights[:, 3:], 0)
    assert_allclose(weights[:3, :3], 1 / 3, atol=1e-6)
    old = numpy(faithful(X, mask=KEEP)[1])[0]
    assert_allclose(old[:3], 1 / 6, atol=1e-6)  # real queries look at padding
    assert_array_equal(old[3:, 3:], 0)  # padding does not


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_windows_are_symmetric_unless_faithful(width):
    def seen(faithful):
        layer = keras_self_attention.SeqSelfAttention(
            attention_width=width, return_attention=True, faithful=faithful
        )
        return numpy(layer(X)[1])[0] > 0

    half = width // 2
    assert_array_equal(seen(False), numpy(Window(half, half).dense(6)))
    right = half - (width % 2 == 0)
    assert_array_equal(seen(True), numpy(Window(half, right).dense(6)))


def test_a_query_without_keys_looked_at_hidden_ones():
    mask = KEEP.copy()
    mask[0] = False
    for faithful, total in ((False, 0.0), (True, 1.0)):
        layer = keras_self_attention.ScaledDotProductAttention(
            return_attention=True, faithful=faithful
        )
        weights = numpy(layer([X, X, X], mask=[None, mask, None])[1])
        assert_allclose(weights[0].sum(-1), total, atol=1e-6)


def test_scores_that_go_on_are_taken_before_hiding():
    layer = keras_self_attention.ResidualScaledDotProductAttention(history_only=True)
    prior = RNG.normal(size=(2, 6, 6)).astype("float32")
    _, passed = layer([X, prior])
    expected = X @ X.swapaxes(1, 2) / 2 + prior
    assert_allclose(numpy(passed), expected, atol=1e-5)


def test_pooling_keeps_its_epsilon_and_takes_shorter_sequences():
    layer = kaggle.Attention(6, return_attention=True)
    total = numpy(layer(X * 0)[1]).sum(-1)
    assert_allclose(total, 6 / (6 + 1e-7), rtol=1e-7)
    assert numpy(layer(X[:, :4])[0]).shape == (2, 4)
    with pytest.raises(ValueError, match="at most step_dim = 6"):
        layer(np.concatenate([X, X], axis=1))
    with pytest.raises(ValueError, match="exactly step_dim = 6"):
        kaggle.Attention(6, faithful=True)(X[:, :4])


def test_low_scores_lost_their_weight_with_context():
    def total(faithful):
        layer = kaggle.AttentionWithContext(return_attention=True, faithful=faithful)
        layer(X)
        kernel, bias = np.zeros((4, 4)), np.full(4, 10.0)  # tanh(10) is about 1
        layer.set_weights([kernel, bias, np.full(4, -6.0)])  # scores of about -24
        return numpy(layer(X)[1])[..., 0].sum(-1)

    assert_allclose(total(False), 1, rtol=1e-6)
    assert (total(True) < 0.01).all()


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_the_last_step_was_padding_in_keras_attention(score):
    right = keras_attention.Attention(5, score)
    faithful = keras_attention.Attention(5, score, faithful=True)
    right(X), faithful(X)
    faithful.set_weights(right.get_weights())
    short = numpy(right(X[:1, :3]))
    assert_allclose(numpy(right(X, mask=KEEP))[:1], short, atol=1e-6)
    assert_array_equal(numpy(faithful(X, mask=KEEP)), numpy(faithful(X)))
    assert np.abs(numpy(faithful(X))[:1] - short).max() > 0.01


def test_old_code_finds_its_custom_objects():
    for kind in ("SeqSelfAttention", "SeqWeightedAttention"):
        layer = getattr(keras_self_attention, kind)
        assert layer.get_custom_objects() == {kind: layer}


WRONG = {
    "attention_type": lambda: keras_self_attention.SeqSelfAttention(
        attention_type="dot"
    ),
    "attention_width": lambda: keras_self_attention.SeqSelfAttention(attention_width=0),
    "score": lambda: keras_attention.Attention(score="dot"),
    "units": lambda: keras_attention.Attention(units=0),
    "step_dim": lambda: kaggle.Attention(0),
    "inputs": lambda: attention_keras.AttentionLayer()(X),
    "query, key, value": lambda: keras_self_attention.ScaledDotProductAttention()(
        [X, X]
    ),
    "prev": lambda: keras_self_attention.ResidualScaledDotProductAttention()([X] * 3),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_by_name(name):
    with pytest.raises(ValueError, match=name):
        WRONG[name]()
