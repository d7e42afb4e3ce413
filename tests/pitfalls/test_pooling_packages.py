"""Where packages that pool, pair or forecast go wrong, ours must not."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import layers, normalizers
from tests.invariants.tools import numpy, random, randomized, read, weigh

X = random(1, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def test_the_last_state_of_a_padded_sequence_is_not_padding():
    """A plain ``x[:, -1]`` asks with the padding."""
    layer = randomized(layers.LastStatePooling(3), X)
    padded = np.where(KEEP[..., None], X, 0).astype("float32")
    found = numpy(layer(padded, mask=KEEP))[0]
    assert_allclose(found, numpy(layer(X[:1, :3]))[0], rtol=1e-5, atol=1e-6)
    assert np.abs(found - numpy(layer(padded))[0]).max() > 1e-3


def test_the_residual_of_a_set_block_is_the_projected_query():
    """So inputs of any width go in; with nothing to see it alone is left."""
    query, value = random(2, 2, 3, 4), random(3, 2, 5, 7)
    block = randomized(layers.SetBlock(2, 6, layer_norm=False), query, value)
    hidden = numpy(block(query, value, value_mask=np.zeros((2, 5), bool)))
    projected = query @ numpy(block.query_dense.kernel.value)
    projected = projected + numpy(block.query_dense.bias.value)
    kernel, bias = (
        numpy(each.value)
        for each in (block.output_dense.kernel, block.output_dense.bias)
    )
    expected = projected + np.maximum(projected @ kernel + bias, 0)
    assert_allclose(hidden, expected, rtol=1e-4, atol=1e-5)


def test_latents_and_seeds_do_not_start_equal():
    """Equal ones would read the same for ever."""
    for layer in (layers.LatentAttention(3, 4, 2, 2), layers.MultiHeadPooling(2, 4, 3)):
        layer(X)
        start = numpy(layer.queries.value)
        assert np.abs(start[0] - start[1]).max() > 1e-3
        assert np.abs(numpy(layer(X))[:, 0] - numpy(layer(X))[:, 1]).max() > 1e-5


def test_sums_and_means_leave_padding_out():
    mean = layers.AttentionPooling(use_bias=False)
    mean(X)
    mean.kernel.assign(np.zeros(6))
    loud = np.where(KEEP[..., None], X, 1e3).astype("float32")
    assert_allclose(numpy(mean(loud, mask=KEEP))[0], X[0, :3].mean(0), rtol=1e-4)
    pair = randomized(layers.DecomposableAttention(3), X, X)
    found = numpy(pair(X, loud, value_mask=KEEP))
    assert_allclose(found[0], numpy(pair(X[:1], X[:1, :3]))[0], rtol=1e-4, atol=1e-5)


def test_entmax_at_alpha_one_is_softmax_and_survives_a_floor_of_minus_a_billion():
    """By bisection the first is uniform elsewhere, and the second NaN."""
    scores = random(4, 3, 6)
    found = weigh(normalizers.Entmax(alpha=1), scores)
    assert_allclose(found, weigh("softmax", scores), atol=1e-6)
    for part in (normalizers.Entmax(1.3), normalizers.Budget(2), normalizers.Normmax()):
        low = weigh(part, np.full((1, 4), -1e9))
        assert np.isfinite(low).all() and low.sum() > 0.9
        hidden = weigh(part, scores, np.zeros((3, 6), bool))
        assert (hidden == 0).all()
        lowest = weigh(part, np.full((1, 4), -np.inf))
        assert np.isfinite(lowest).all()


def test_lora_reaches_the_projections_inside_a_pooling():
    layer = layers.MultiHeadPooling(2, 4)
    before = numpy(layer(X))
    layer.enable_lora(2, sublayers=("query", "value"))
    names = {
        w.path.split("/")[-2] for w in layer.trainable_variables if "lora" in w.path
    }
    assert names == {"query", "value"}
    assert_allclose(numpy(layer(X)), before, rtol=1e-5, atol=1e-6)


def test_histories_and_windows_of_another_length_are_refused():
    layer = layers.TemporalPatternAttention(3, 2)
    layer(X)
    with pytest.raises(ValueError, match="inputs must have 5 steps"):
        layer(X[:, :4])
    with pytest.raises(ValueError, match="known lengths"):
        layers.AutoCorrelation(1, 2).call(keras.KerasTensor((2, None, 6)))


def test_the_context_of_a_pair_of_one_word_is_that_word():
    text, word = X, X[:, :1]
    _, weights = read(randomized(layers.AttentionFlow(), text, word), text, word)
    assert_allclose(weights, 1, atol=1e-6)
