"""S: how the compatibility functions contain each other."""

import math

import keras
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from tests.conformance.gradients import gradients
from tests.invariants.tools import numpy, random, randomized, read, with_weights

QUERY, KEY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 4), random(3, 2, 5, 7)


def test_s01_general_with_the_identity_is_dot():
    general = with_weights(
        layers.GeneralAttention(), QUERY, VALUE, KEY, kernel=np.eye(4)
    )
    for ours, dot in zip(
        read(general, QUERY, VALUE, KEY),
        read(layers.DotAttention(), QUERY, VALUE, KEY),
        strict=True,
    ):
        assert_allclose(ours, dot, rtol=1e-5, atol=1e-6)


def test_s02_concat_with_stacked_kernels_is_additive():
    key = random(4, 2, 5, 6)
    additive = randomized(layers.AdditiveAttention(8), QUERY, VALUE, key)
    stacked = np.concatenate(
        [numpy(additive.query_kernel.value), numpy(additive.key_kernel.value)]
    )
    concat = with_weights(
        layers.ConcatAttention(8),
        QUERY,
        VALUE,
        key,
        kernel=stacked,
        score_vector=numpy(additive.score_vector.value),
    )
    for ours, theirs in zip(
        read(concat, QUERY, VALUE, key), read(additive, QUERY, VALUE, key), strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_s02_keras_additive_attention_is_ours_after_dense_layers():
    """Theirs has no projections: with W = U = I and the same scale it is a case."""
    theirs = keras.layers.AdditiveAttention()
    theirs.build([QUERY.shape, VALUE.shape, KEY.shape])
    vector = random(5, 4)
    theirs.scale.assign(vector)
    ours = with_weights(
        layers.AdditiveAttention(4),
        QUERY,
        VALUE,
        KEY,
        query_kernel=np.eye(4),
        key_kernel=np.eye(4),
        score_vector=vector,
    )
    expected = numpy(theirs([QUERY, VALUE, KEY]))
    assert_allclose(numpy(ours(QUERY, VALUE, KEY)), expected, rtol=1e-5, atol=1e-6)


def test_weight_normalisation_ignores_the_length_of_the_vector():
    layer = randomized(
        layers.AdditiveAttention(8, normalize=True), QUERY, VALUE, KEY, seed=6
    )
    before = numpy(layer(QUERY, VALUE, KEY))
    layer.score_vector.assign(numpy(layer.score_vector.value) * 30)
    assert_allclose(numpy(layer(QUERY, VALUE, KEY)), before, rtol=1e-4, atol=1e-5)


def test_s05_cosine_ignores_positive_lengths_and_is_bounded():
    layer = with_weights(layers.CosineAttention(), QUERY, VALUE, KEY, sharpness=2.0)
    before = read(layer, QUERY, VALUE, KEY)
    after = read(layer, QUERY * 50, VALUE, KEY * 0.02)
    assert_allclose(after[1], before[1], rtol=1e-4, atol=1e-6)
    assert np.abs(layer.trace(QUERY, VALUE, KEY).scores).max() <= 2 * (1 + 1e-6)


def test_s06_a_bilinear_kernel_of_low_rank_is_dot_after_projections():
    left, right = random(7, 4, 2), random(8, 6, 2)
    key = random(9, 2, 5, 6)
    general = with_weights(
        layers.GeneralAttention(), QUERY, VALUE, key, kernel=left @ right.T
    )
    assert_allclose(
        numpy(general(QUERY, VALUE, key)),
        numpy(layers.DotAttention()(QUERY @ left, VALUE, key @ right)),
        rtol=1e-4,
        atol=1e-5,
    )


def test_s08_queries_and_keys_may_be_rotated_against_each_other():
    gauge = random(10, 4, 4) + 3 * np.eye(4, dtype="float32")
    turned = np.linalg.inv(gauge).T.astype("float32")
    layer = layers.ScaledDotAttention()
    assert_allclose(
        numpy(layer(QUERY @ gauge, VALUE, KEY @ turned)),
        numpy(layer(QUERY, VALUE, KEY)),
        rtol=1e-3,
        atol=1e-4,
    )


def test_s09_the_bias_of_the_key_projection_does_nothing_under_softmax():
    for normalizer in ("softmax", "sparsemax", "entmax15"):
        layer = layers.MultiHeadAttention(2, 3, normalizer=normalizer)
        randomized(layer, QUERY, VALUE, KEY)
        before = numpy(layer(QUERY, VALUE, KEY))
        layer.key_dense.bias.assign(random(11, 2, 3) * 5)
        assert_allclose(numpy(layer(QUERY, VALUE, KEY)), before, rtol=1e-3, atol=1e-4)
        layer.query_dense.bias.assign(random(12, 2, 3) * 5)  # that of the query does
        assert np.abs(numpy(layer(QUERY, VALUE, KEY)) - before).max() > 1e-2


def test_s11_dot_scores_have_the_variance_of_the_width_and_scaled_ones_of_one():
    query, key = random(13, 1, 200, 64), random(14, 1, 200, 64)
    dot = layers.DotAttention().trace(query, key).scores
    scaled = layers.ScaledDotAttention().trace(query, key).scores
    assert_allclose(dot.var(), 64, rtol=0.05)
    assert_allclose(scaled.var(), 1, rtol=0.05)
    assert_allclose(scaled * math.sqrt(64), dot, rtol=1e-4, atol=1e-3)


def test_s12_a_tanh_bounds_the_contrast_of_the_weights():
    inputs = 100 * random(15, 1, 50, 3)
    pooling = with_weights(layers.AttentionPooling(), inputs, kernel=np.ones(3))
    _, weights = read(pooling, inputs)
    assert weights.max() / weights.min() <= math.e**2 * (1 + 1e-5)
    assert weights.max() / weights.min() > 7.38  # the bound is reached
    free = layers.AttentionPooling(activation=None)
    with_weights(free, inputs, kernel=np.ones(3))
    _, weights = read(free, inputs)
    assert weights.max() / max(weights.min(), 1e-30) > 1e6


def test_s15_a_hopfield_update_is_dot_attention_with_keys_as_values():
    patterns, beta = random(16, 1, 5, 4), 3.0
    layer = with_weights(
        layers.ScaledDotAttention(learn_scale=True), QUERY[:1], patterns, scale=beta
    )
    logits = beta * QUERY[0] @ patterns[0].T
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    expected = powers / powers.sum(-1, keepdims=True) @ patterns[0]
    found = numpy(layer(QUERY[:1], patterns))[0]
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_s16_the_slope_in_the_query_is_the_covariance_of_the_keys():
    layer, key = layers.DotAttention(), KEY[:1]
    query, direction = QUERY[:1, :1], random(17, 4)

    def loss(query):
        return keras.ops.sum(layer(query, key) * keras.ops.convert_to_tensor(direction))

    _, found, _ = gradients(layer, loss, {"query": query})
    p = read(layer, query, key)[1][0, 0]
    mean = p @ key[0]
    covariance = (key[0] - mean).T @ (p[:, None] * (key[0] - mean))
    assert_allclose(found["query"][0, 0], covariance @ direction, rtol=1e-3, atol=1e-5)


def test_s17_orthonormal_keys_and_sharp_scores_are_a_dictionary():
    key = np.eye(5, dtype="float32")[None]
    order = [3, 0, 4]
    value = random(18, 1, 5, 7)
    query = 200 * key[:, order]
    assert_allclose(
        numpy(layers.DotAttention()(query, value, key)), value[:, order], atol=1e-6
    )


def test_location_with_only_a_bias_reads_the_same_for_every_query():
    layer = layers.LocationAttention(9, use_bias=True)
    with_weights(layer, QUERY, VALUE, kernel=np.zeros((4, 9)), bias=random(19, 9))
    _, weights = read(layer, QUERY, VALUE)
    assert_allclose(weights, np.broadcast_to(weights[:1, :1], weights.shape), atol=1e-6)
    silent = read(layer, QUERY, VALUE, KEY * 100)[1]
    assert_array_equal(silent, weights)  # the key is not read
