"""H: heads that mix, subtract and remember."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers, normalizers
from tests.invariants.tools import numpy, random, randomized, read

QUERY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
PARTS = ("query_dense", "key_dense", "value_dense", "output_dense")


def arrays(layer, part):
    """Kernel and bias of a projection."""
    dense = getattr(layer, part)
    return numpy(dense.kernel.value), numpy(dense.bias.value)


def plain(source, **options):
    """Multi-head attention with the same projections."""
    layer = layers.MultiHeadAttention(
        source.num_heads, source.key_dim, source.value_dim, **options
    )
    layer(QUERY, VALUE)
    for part in PARTS:
        kernel, bias = arrays(source, part)
        getattr(layer, part).kernel.assign(kernel)
        getattr(layer, part).bias.assign(bias)
    return layer


def agree(ours, theirs, **options):
    expected = read(theirs, QUERY, VALUE, **options)
    found = read(ours, QUERY, VALUE, **options)
    for left, right in zip(found, expected, strict=True):
        assert_allclose(left, right, rtol=1e-5, atol=1e-5)


def test_h09_heads_that_do_not_talk_are_multi_head():
    layer = randomized(layers.TalkingHeadsAttention(3, 2), QUERY, VALUE)
    assert (
        np.abs(read(layer, QUERY, VALUE)[0] - read(plain(layer), QUERY, VALUE)[0]).max()
        > 0.1
    )
    layer.score_mix.assign(np.eye(3))
    layer.weight_mix.assign(np.eye(3))
    agree(layer, plain(layer), value_mask=KEEP, use_causal_mask=True)
    fresh = layers.TalkingHeadsAttention(3, 2)
    fresh(QUERY, VALUE)
    assert_array_equal(numpy(fresh.score_mix.value), np.eye(3))


def test_h09_a_key_hidden_from_a_head_gets_nothing_from_the_others():
    layer = randomized(layers.TalkingHeadsAttention(3, 2), QUERY, VALUE)
    mask = np.ones((2, 3, 3, 5), bool)
    mask[:, 1, :, 2] = False  # head 1 alone may not see key 2
    _, weights = read(layer, QUERY, VALUE, attention_mask=mask)
    assert (weights[:, 1, :, 2] == 0).all()
    assert (weights[:, 0, :, 2] != 0).all()


def single_looks(layer):
    """The first and the second looks as multi-head layers."""
    found = []
    for look in range(2):
        heads = slice(look * layer.num_heads, (look + 1) * layer.num_heads)
        single = layers.MultiHeadAttention(
            layer.num_heads, layer.key_dim, layer.value_dim
        )
        single(QUERY, VALUE)
        for part in PARTS:
            kernel, bias = arrays(layer, part)
            if part in ("query_dense", "key_dense"):
                kernel, bias = kernel[:, heads], bias[heads]
            getattr(single, part).kernel.assign(kernel)
            getattr(single, part).bias.assign(bias)
        found.append(single)
    return found


def set_lambda(layer, share):
    """Make lambda a number: exp(0) - exp(0) + the start."""
    layer.lambda_start = share
    for weight in layer.lambdas:
        weight.assign(np.zeros(layer.key_dim))


def test_h10_without_lambda_there_is_one_look():
    layer = randomized(layers.DifferentialAttention(2, 3), QUERY, VALUE)
    set_lambda(layer, 0.0)
    first, _ = single_looks(layer)
    _, weights = read(layer, QUERY, VALUE, value_mask=KEEP)
    assert_allclose(weights, read(first, QUERY, VALUE, value_mask=KEEP)[1], atol=1e-6)


def test_h10_equal_looks_are_one_minus_lambda_of_it():
    layer = randomized(layers.DifferentialAttention(2, 3), QUERY, VALUE)
    set_lambda(layer, 0.3)
    for part in ("query_dense", "key_dense"):
        kernel, bias = arrays(layer, part)
        dense = getattr(layer, part)
        dense.kernel.assign(np.concatenate([kernel[:, :2]] * 2, axis=1))
        dense.bias.assign(np.concatenate([bias[:2]] * 2))
    first, _ = single_looks(layer)
    _, weights = read(layer, QUERY, VALUE)
    assert_allclose(weights, 0.7 * read(first, QUERY, VALUE)[1], atol=1e-6)


def test_h11_rows_sum_to_one_minus_lambda_and_may_be_negative():
    layer = randomized(layers.DifferentialAttention(2, 3), QUERY, VALUE)
    _, weights = read(layer, QUERY, VALUE, value_mask=KEEP)
    share = float(numpy(layer.used_lambda()))
    assert_allclose(weights.sum(-1), 1 - share, rtol=1e-5, atol=1e-5)
    assert (weights < 0).any()


@pytest.mark.parametrize(
    ("depth", "expected"), [(1, 0.2), (2, 0.355509), (13, 0.783606)]
)
def test_lambda_starts_larger_in_deeper_layers(depth, expected):
    layer = layers.DifferentialAttention(2, 3, depth=depth)
    assert_allclose(layer.first_lambda, expected, atol=1e-6)


def test_h14_own_keys_that_score_low_are_not_there():
    layer = randomized(layers.PersistentMemoryAttention(2, 3, 4), QUERY, VALUE)
    with_memory, weights = read(layer, QUERY, VALUE)
    assert weights.shape == (2, 2, 3, 9)
    assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert np.abs(with_memory - read(plain(layer), QUERY, VALUE)[0]).max() > 0.1
    far = np.zeros((2, 4, 3), "float32")
    _, bias = arrays(layer, "query_dense")
    layer.query_dense.bias.assign(bias + 100.0)  # keys far behind every query
    far -= 100.0
    layer.memory_key.assign(far)
    output, weights = read(layer, QUERY, VALUE)
    assert (weights[..., 5:] == 0).all()
    expected, plain_weights = read(plain(layer), QUERY, VALUE)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-4)
    assert_allclose(weights[..., :5], plain_weights, rtol=1e-4, atol=1e-5)


def test_n08_a_zero_key_is_softmax_off_by_one():
    layer = layers.PersistentMemoryAttention(2, 3, 0, add_zero=True)
    randomized(layer, QUERY, VALUE)
    other = plain(layer, normalizer="off_by_one")
    output, weights = read(layer, QUERY, VALUE, value_mask=KEEP)
    expected, rest = read(other, QUERY, VALUE, value_mask=KEEP)
    assert_allclose(output, expected, rtol=1e-5, atol=1e-5)
    assert_allclose(weights[..., :5], rest, atol=1e-6)
    assert_allclose(weights[..., 5], 1 - rest.sum(-1), atol=1e-6)


def test_n09_a_low_sink_is_softmax_and_a_sink_of_zero_off_by_one():
    layer = layers.MultiHeadAttention(2, 3, normalizer=normalizers.Sinks())
    randomized(layer, QUERY, VALUE)
    (sinks,) = layer.part_weights["normalizer"]
    sinks.assign(np.full(2, -1e9))
    agree(layer, plain(layer))
    sinks.assign(np.zeros(2))
    agree(layer, plain(layer, normalizer="off_by_one"))


def test_h17_differential_is_talking_heads_with_fixed_mixing():
    layer = randomized(layers.DifferentialAttention(2, 3), QUERY, VALUE)
    share = float(numpy(layer.used_lambda()))
    talking = layers.TalkingHeadsAttention(4, 3, value_dim=6, mix_scores=False)
    randomized(talking, QUERY, VALUE)
    for part in ("query_dense", "key_dense"):
        kernel, bias = arrays(layer, part)
        getattr(talking, part).kernel.assign(kernel)
        getattr(talking, part).bias.assign(bias)
    mix = np.zeros((4, 4))
    mix[0, 0] = mix[1, 1] = 1
    mix[2, 0] = mix[3, 1] = -share
    talking.weight_mix.assign(mix)
    _, weights = read(talking, QUERY, VALUE, value_mask=KEEP)
    _, expected = read(layer, QUERY, VALUE, value_mask=KEEP)
    assert_allclose(weights[:, :2], expected, atol=1e-5)
    assert (weights[:, 2:] == 0).all()


def test_a_masked_query_sees_none_of_the_layers_own_keys():
    layer = randomized(layers.PersistentMemoryAttention(2, 3, 4), QUERY, VALUE)
    keep = np.array([[True, False, True], [True, True, True]])
    hidden = np.zeros((2, 5), bool)
    for options in ({}, {"value_mask": hidden}, {"use_causal_mask": True}):
        output, weights = read(layer, QUERY, VALUE, query_mask=keep, **options)
        assert (weights[0, :, 1] == 0).all()
        assert_allclose(weights.sum(-1)[:, 0][keep], 1, atol=1e-6)
        assert_allclose(output[0, 1], numpy(layer.output_dense.bias.value), atol=1e-6)
    assert (weights[..., 5:] > 0).any()
