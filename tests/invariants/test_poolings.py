"""P: poolings by hidden layers, gates, rows, statistics and seeds."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from regard import layers
from regard.losses import hop_penalty
from tests.invariants.tools import numpy, random, randomized, read, with_weights

X = random(1, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def weights_of(layer, *names):
    return {name: numpy(getattr(layer, name).value) for name in names}


def test_p04_a_context_vector_is_additive_attention_whose_query_is_the_bias():
    pooling = randomized(layers.ContextPooling(4), X)
    own = weights_of(pooling, "kernel", "bias", "score_vector")
    query = np.zeros((2, 1, 3), "float32")
    additive = with_weights(
        layers.AdditiveAttention(4, use_bias=True),
        query,
        X,
        key_kernel=own["kernel"],
        bias=own["bias"],
        score_vector=own["score_vector"],
    )
    found, weights = read(pooling, X, mask=KEEP)
    expected, others = read(additive, query, X, value_mask=KEEP)
    assert_allclose(found, expected[:, 0], rtol=1e-4, atol=1e-5)
    assert_allclose(weights, others[:, 0], rtol=1e-4, atol=1e-6)


def test_p05_a_row_of_structured_pooling_is_a_context_vector_without_bias():
    structured = randomized(layers.StructuredPooling(4, 3), X)
    own = weights_of(structured, "kernel", "hop_kernel")
    rows, weights = read(structured, X, mask=KEEP)
    for r in range(3):
        single = with_weights(
            layers.ContextPooling(4, use_bias=False),
            X,
            kernel=own["kernel"],
            score_vector=own["hop_kernel"][:, r],
        )
        found, attention = read(single, X, mask=KEEP)
        assert_allclose(rows[:, r], found, rtol=1e-4, atol=1e-5)
        assert_allclose(weights[:, r], attention, rtol=1e-4, atol=1e-6)


def test_p06_the_penalty_tells_rows_apart():
    apart = np.eye(3, 5, dtype="float32")[None]
    alike = np.repeat(apart[:, :1], 3, axis=1)
    rows = keras.ops.convert_to_tensor(np.concatenate([apart, alike]))
    assert_allclose(numpy(hop_penalty(rows)), [0, 3 * 2], atol=1e-6)
    layer = randomized(layers.StructuredPooling(4, 3, penalty=0.5), X)
    _, weights = read(layer, X)
    expected = 0.5 * numpy(hop_penalty(keras.ops.convert_to_tensor(weights))).mean()
    assert_allclose(float(numpy(layer.losses[0])), expected, rtol=1e-5)
    assert not randomized(layers.StructuredPooling(4, 3), X).losses


def test_p07_the_order_of_a_set_does_not_matter_and_of_a_block_it_is_kept():
    order = [4, 2, 0, 3, 1]
    for layer in (
        layers.MultiHeadPooling(2, 4, num_seeds=3),
        layers.LatentAttention(3, 4, 2, 2),
        layers.GatedPooling(4),
        layers.StatisticsPooling(4),
    ):
        randomized(layer, X)
        assert_allclose(numpy(layer(X[:, order])), numpy(layer(X)), atol=1e-5)
    for block in (layers.SetBlock(2, 4), layers.InducedSetBlock(2, 4, 3)):
        randomized(block, X)
        found = numpy(block(X[:, order]))
        assert_allclose(found, numpy(block(X))[:, order], atol=1e-5)


def test_p09_with_equal_weights_statistics_are_mean_and_spread():
    for by_channel in (False, True):
        layer = layers.StatisticsPooling(4, by_channel=by_channel)
        layer(X)
        layer.score_kernel.assign(numpy(layer.score_kernel.value) * 0)
        found = numpy(layer(X))
        assert_allclose(found[:, :6], X.mean(1), rtol=1e-4, atol=1e-6)
        assert_allclose(found[:, 6:], X.std(1), rtol=1e-4, atol=1e-6)
        short = numpy(layer(X, mask=KEEP))[0]
        assert_allclose(short, np.append(X[0, :3].mean(0), X[0, :3].std(0)), rtol=1e-4)


def test_p09_a_single_frame_has_no_spread_and_a_finite_slope():
    from tests.conformance.gradients import gradients

    layer = randomized(layers.StatisticsPooling(4), X)
    one = X[:, :1]
    assert_allclose(numpy(layer(one))[:, 6:], 0, atol=2e-6)
    _, slopes, _ = gradients(
        layer, lambda inputs: keras.ops.sum(layer(inputs)), {"inputs": one}
    )
    assert np.isfinite(slopes["inputs"]).all()


def test_p09_a_large_mean_does_not_spoil_the_spread():
    """As a difference of squares the variance would be lost, even negative."""
    layer = layers.StatisticsPooling(4)
    layer(X)
    layer.score_kernel.assign(numpy(layer.score_kernel.value) * 0)
    far = X + 3000
    assert_allclose(numpy(layer(far))[:, 6:], X.std(1), rtol=1e-3)
    squares = np.square(far).mean(1) - np.square(far.mean(1))
    assert np.abs(np.sqrt(np.maximum(squares, 0)) - X.std(1)).max() > 1e-2


def test_p11_a_gate_of_zero_halves_the_score():
    gated = randomized(layers.GatedPooling(4), X)
    gated.gate_kernel.assign(np.zeros((6, 4)))
    own = weights_of(gated, "kernel", "score_vector")
    plain = with_weights(layers.GatedPooling(4, gated=False), X, **own)
    assert_allclose(
        gated.trace(X).scores, 0.5 * plain.trace(X).scores, rtol=1e-4, atol=1e-6
    )


def test_p12_a_linear_score_is_the_core_of_one_seed():
    pooling = layers.AttentionPooling(activation=None, use_bias=False)
    randomized(pooling, X)
    seed = np.repeat(numpy(pooling.kernel.value)[None, None], 2, axis=0)
    found, weights = read(pooling, X, mask=KEEP)
    expected, others = read(layers.DotAttention(), seed, X, value_mask=KEEP)
    assert_allclose(found, expected[:, 0], rtol=1e-4, atol=1e-5)
    assert_allclose(weights, others[:, 0], rtol=1e-4, atol=1e-6)


def test_p13_one_element_is_returned_by_every_pooling():
    one = X[:, :1]
    for layer in (
        layers.ContextPooling(4),
        layers.GatedPooling(4),
        layers.ContextPooling(4, normalizer="sparsemax"),
    ):
        assert_allclose(numpy(layer(one)), one[:, 0], rtol=1e-6)
    rows = numpy(layers.StructuredPooling(4, 3)(one))
    assert_allclose(rows, np.repeat(one, 3, axis=1), rtol=1e-6)
    assert_allclose(
        numpy(layers.StatisticsPooling(4)(one))[:, :6], one[:, 0], rtol=1e-6
    )


def test_m09_the_last_state_is_the_last_real_one():
    layer = randomized(layers.LastStatePooling(4), X)
    padded = numpy(layer(np.where(KEEP[..., None], X, 99.0), mask=KEEP))
    assert_allclose(padded[0], numpy(layer(X[:1, :3]))[0], rtol=1e-5, atol=1e-6)
    before = np.flip(KEEP, axis=1)  # padding in front
    found = numpy(layer(np.flip(X, axis=1), mask=before))
    assert_allclose(found[0], numpy(layer(np.flip(X[:1, :3], axis=1)))[0], atol=1e-6)


def test_m10_sentences_without_words_have_no_part_in_a_document():
    documents = random(2, 2, 4, 3, 6)
    words = np.ones((2, 4, 3), bool)
    words[0, 2:] = False
    words[0, 0, 2] = False
    words[1] = False
    layer = randomized(layers.HierarchicalPooling(4, 3), documents)
    found, weights = read(
        layer, np.where(words[..., None], documents, np.nan), mask=words
    )
    assert (weights[~words] == 0).all()
    assert_allclose(weights.sum((1, 2)), [1, 0], atol=1e-6)
    assert_allclose(found[1], 0)
    short = read(layer, documents[:1, :2], mask=words[:1, :2])[0]
    assert_allclose(found[0], short[0], rtol=1e-5, atol=1e-6)


def test_a_hierarchy_may_read_its_sentences_in_order():
    documents = random(3, 2, 4, 3, 6)
    encoder = keras.layers.Bidirectional(
        keras.layers.GRU(3, return_sequences=True, recurrent_initializer="zeros")
    )
    layer = layers.HierarchicalPooling(4, 3, sentence_encoder=encoder)
    found, weights = read(layer, documents)
    assert found.shape == (2, 6) and weights.shape == (2, 4, 3)
    again = layers.HierarchicalPooling.from_config(layer.get_config())
    again(documents)
    again.set_weights(layer.get_weights())
    assert_allclose(numpy(again(documents)), found, rtol=1e-6)
