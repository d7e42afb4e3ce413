"""A trace holds the scores as they are before the bias, and the bias beside them."""

import numpy as np

from regard.layers import ScaledDotAttention


def test_scores_are_recorded_before_the_bias():
    random = np.random.default_rng(3)
    query = random.normal(size=(2, 3, 4)).astype("float32")
    value = random.normal(size=(2, 5, 4)).astype("float32")
    bias = random.normal(size=(3, 5)).astype("float32")
    trace = ScaledDotAttention().trace(query, value, bias=bias)
    expected = np.einsum("btd,bsd->bts", query, value)[:, None] / 2
    np.testing.assert_allclose(trace.scores, expected, rtol=1e-5, atol=1e-6)
    powers = np.exp(trace.scores + trace.bias)
    weights = powers / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(trace.weights, weights, rtol=1e-5)
