"""S: distances, biaffine and linear scores, and what softmax does with them."""

import numpy as np
from numpy.testing import assert_allclose

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read, with_weights

QUERY, KEY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 4), random(3, 2, 5, 7)
SIGMA = 1.3


def gaussian(key, **options):
    layer = layers.GaussianAttention(sigma=SIGMA, **options)
    return read(layer, QUERY, VALUE, key)


def test_s03_unit_keys_make_distances_products():
    key = KEY / np.linalg.norm(KEY, axis=-1, keepdims=True)
    _, expected = read(layers.DotAttention(), QUERY / SIGMA**2, VALUE, key)
    assert_allclose(gaussian(key)[1], expected, rtol=1e-4, atol=1e-6)
    longer = gaussian(KEY)[1]  # keys of different lengths do not
    _, product = read(layers.DotAttention(), QUERY / SIGMA**2, VALUE, KEY)
    assert np.abs(longer - product).max() > 1e-2


def test_s04_distances_are_products_with_a_bias_per_key():
    bias = -np.square(KEY).sum(-1) / (2 * SIGMA**2)
    _, expected = read(
        layers.DotAttention(), QUERY / SIGMA**2, VALUE, KEY, bias=bias[:, None, None]
    )
    assert_allclose(gaussian(KEY)[1], expected, rtol=1e-4, atol=1e-6)


def test_s13_gaussian_attention_is_the_regression_of_nadaraya_and_watson():
    apart = QUERY[:, :, None] - KEY[:, None]
    kernel = np.exp(-np.square(apart).sum(-1) / (2 * SIGMA**2))
    expected = kernel @ VALUE / kernel.sum(-1, keepdims=True)
    assert_allclose(gaussian(KEY)[0], expected, rtol=1e-4, atol=1e-5)


def test_distances_stay_exact_far_from_the_origin():
    """Expanded into lengths and a product they would not, in float32."""
    query, key = QUERY + 3000, KEY + 3000
    near = layers.GaussianAttention().trace(QUERY, VALUE, KEY).scores
    far = layers.GaussianAttention().trace(query, VALUE, key).scores
    assert_allclose(far, near, rtol=2e-3, atol=2e-3)
    lengths = np.square(query).sum(-1)[..., None] + np.square(key).sum(-1)[:, None]
    expanded = -0.5 * (lengths - 2 * query @ key.swapaxes(1, 2))
    assert np.abs(expanded[:, None] - near).max() > 0.5


def test_s07_biaffine_is_bilinear_and_two_linear_terms_and_a_constant():
    key = random(4, 2, 5, 6)
    biaffine = randomized(layers.BiaffineAttention(), QUERY, VALUE, key)
    kernel = numpy(biaffine.kernel.value)
    expected = QUERY @ kernel[:-1, :-1] @ key.swapaxes(1, 2)
    expected = expected + (QUERY @ kernel[:-1, -1])[..., None] + kernel[-1, -1]
    expected = expected + (key @ kernel[-1, :-1])[:, None]
    found = biaffine.trace(QUERY, VALUE, key).scores[:, 0]
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_s09_what_the_query_says_alone_does_nothing_under_softmax():
    for normalizer in ("softmax", "sparsemax", "entmax15"):
        layer = layers.BiaffineAttention(normalizer=normalizer)
        randomized(layer, QUERY, VALUE, KEY)
        before = numpy(layer(QUERY, VALUE, KEY))
        kernel = numpy(layer.kernel.value).copy()
        kernel[:, -1] += 3
        layer.kernel.assign(kernel)
        assert_allclose(numpy(layer(QUERY, VALUE, KEY)), before, rtol=1e-3, atol=1e-4)


def test_s10_but_it_does_where_a_row_need_not_sum_to_one():
    for normalizer in ("off_by_one", "sigmoid", "sinks", "softpick", "relu"):
        layer = layers.BiaffineAttention(normalizer=normalizer)
        randomized(layer, QUERY, VALUE, KEY)
        before = numpy(layer(QUERY, VALUE, KEY))
        kernel = numpy(layer.kernel.value).copy()
        kernel[:, -1] += 3
        layer.kernel.assign(kernel)
        assert np.abs(numpy(layer(QUERY, VALUE, KEY)) - before).max() > 1e-2


def test_a_linear_score_of_products_is_a_biaffine_with_a_diagonal():
    linear = randomized(layers.LinearScoreAttention(), QUERY, VALUE, KEY)
    kernel, bias = numpy(linear.kernel.value), numpy(linear.bias.value)
    whole = np.zeros((5, 5))
    whole[:4, :4] = np.diag(kernel[8:])
    whole[:4, 4], whole[4, :4], whole[4, 4] = kernel[:4], kernel[4:8], bias[0]
    biaffine = with_weights(layers.BiaffineAttention(), QUERY, VALUE, KEY, kernel=whole)
    assert_allclose(
        linear.trace(QUERY, VALUE, KEY).scores,
        biaffine.trace(QUERY, VALUE, KEY).scores,
        rtol=1e-4,
        atol=1e-5,
    )


def test_s14_softmax_is_linear_attention_with_all_the_powers_as_features():
    """exp(q.k) = sum over n of <q^n, k^n> / n!, here up to the eighth power."""
    query, key = QUERY[0] * 0.5, KEY[0] * 0.5
    similarity, total = np.zeros((3, 5)), 1.0
    left, right = np.ones((3, 1)), np.ones((5, 1))
    for n in range(9):
        similarity = similarity + left @ right.T / total
        left = np.einsum("if,id->ifd", left, query).reshape(3, -1)
        right = np.einsum("jf,jd->jfd", right, key).reshape(5, -1)
        total = total * (n + 1)
    expected = similarity @ VALUE[0] / similarity.sum(-1, keepdims=True)
    found = numpy(layers.DotAttention()(query[None], VALUE[:1], key[None]))[0]
    assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_p08_a_convolutional_context_lies_between_the_sums_it_reads():
    query, key, value = random(5, 2, 3, 9), random(6, 2, 5, 4), random(7, 2, 5, 4)
    layer = randomized(layers.ConvolutionalAttention(), query, value, key)
    found, read_ = numpy(layer(query, value, key)), key + value
    assert (found <= read_.max(1, keepdims=True) + 1e-5).all()
    assert (found >= read_.min(1, keepdims=True) - 1e-5).all()
    assert (found > value.max(1, keepdims=True)).any()  # not the value alone
