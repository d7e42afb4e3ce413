"""P: pooling a sequence, and what the gate is not."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read, with_weights

X = random(1, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def test_p01_the_keras_era_pooling_is_ours_up_to_its_epsilon():
    layer = randomized(layers.AttentionPooling(), X)
    kernel, bias = numpy(layer.kernel.value), numpy(layer.bias.value)
    powers = np.exp(np.tanh(X @ kernel + bias)) * KEEP
    old = powers / (powers.sum(-1, keepdims=True) + 1e-7)
    context, weights = read(layer, X, mask=KEEP)
    assert_allclose(weights, old, rtol=1e-5, atol=1e-7)
    assert_allclose(context, (old[..., None] * X).sum(1), rtol=1e-4, atol=1e-5)


def test_p02_a_zero_kernel_is_the_masked_mean():
    layer = with_weights(layers.AttentionPooling(), X, kernel=np.zeros(6))
    means = np.stack([x[keep].mean(0) for x, keep in zip(X, KEEP, strict=True)])
    assert_allclose(numpy(layer(X, mask=KEEP)), means, rtol=1e-5, atol=1e-6)


def test_p03_pooling_is_additive_attention_with_a_zero_query():
    pooling = randomized(layers.AttentionPooling(), X)
    query = np.zeros((2, 1, 4), "float32")
    additive = with_weights(
        layers.AdditiveAttention(1, use_bias=True),
        query,
        X,
        key_kernel=numpy(pooling.kernel.value)[:, None],
        score_vector=np.ones(1),
        bias=numpy(pooling.bias.value)[None],
    )
    context, weights = read(additive, query, X, value_mask=KEEP)
    expected, expected_weights = read(pooling, X, mask=KEEP)
    assert_allclose(context[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert_allclose(weights[:, 0], expected_weights, rtol=1e-5, atol=1e-6)


def test_p07_the_order_of_the_memory_does_not_matter():
    order = [4, 2, 0, 3, 1]
    pooling = randomized(layers.AttentionPooling(), X)
    assert_allclose(numpy(pooling(X[:, order])), numpy(pooling(X)), atol=1e-6)
    seeds = random(2, 2, 3, 4)
    heads = randomized(layers.MultiHeadAttention(2, 3), seeds, X)
    assert_allclose(numpy(heads(seeds, X[:, order])), numpy(heads(seeds, X)), atol=1e-5)


def test_p08_a_context_lies_between_its_values_and_a_constant_passes_through():
    query, value = random(3, 2, 3, 6), random(4, 2, 5, 7)
    constant = np.full_like(value, 2.5)
    for name in ("softmax", "sparsemax", "entmax15"):
        layer = layers.DotAttention(normalizer=name)
        context = numpy(layer(query, value, X))
        assert (context <= value.max(1, keepdims=True) + 1e-5).all()
        assert (context >= value.min(1, keepdims=True) - 1e-5).all()
        assert_allclose(numpy(layer(query, constant, X)), 2.5, rtol=1e-5)


def test_p10_the_gate_sums_to_one_over_features_and_starts_by_dividing_by_them():
    gate = with_weights(layers.FeatureGate(), X, kernel=np.zeros((6, 6)))
    assert_allclose(numpy(gate(X)), X / 6, rtol=1e-5, atol=1e-7)
    _, weights = read(randomized(gate, X), X)
    assert weights.shape == X.shape
    assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_p10_the_gate_does_not_look_at_other_times():
    """It is called attention, but has no query and no sum over time."""
    gate = randomized(layers.FeatureGate(), X)
    before = numpy(gate(X))
    changed = X.copy()
    changed[:, 2] = 9.0
    after = numpy(gate(changed))
    assert_array_equal(np.delete(after, 2, axis=1), np.delete(before, 2, axis=1))
    assert numpy(gate(X[:, :, :])).shape == X.shape
    assert_allclose(numpy(gate(X[:, 1])), before[:, 1], atol=1e-6)  # any rank


def test_p13_one_element_is_returned_as_it_is():
    one = X[:, :1]
    assert_allclose(numpy(layers.AttentionPooling()(one)), one[:, 0], rtol=1e-6)
    assert_allclose(
        numpy(layers.DotAttention()(X, one)), np.repeat(one, 5, 1), rtol=1e-6
    )
    assert_allclose(
        numpy(layers.AdditiveAttention(4, normalizer="sparsemax")(X, one)),
        np.repeat(one, 5, 1),
        rtol=1e-6,
    )
