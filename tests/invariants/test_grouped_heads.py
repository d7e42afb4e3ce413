"""H: heads that share keys and values, and norms of queries and keys."""

import numpy as np
from numpy.testing import assert_allclose

from regard import layers, norms, positions
from tests.invariants.tools import numpy, random, randomized, read

QUERY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 6)
PARTS = ("query_dense", "key_dense", "value_dense", "output_dense")


def copied(source, target, change=lambda name, array: array):
    """The target, built, with the source's projections as `change` makes them."""
    target(QUERY, VALUE)
    for part in PARTS:
        for kind in ("kernel", "bias"):
            array = numpy(getattr(getattr(source, part), kind).value)
            getattr(getattr(target, part), kind).assign(change(part, array))
    return target


def same(ours, theirs):
    pairs = zip(read(ours, QUERY, VALUE), read(theirs, QUERY, VALUE), strict=True)
    for left, right in pairs:
        assert_allclose(left, right, rtol=1e-5, atol=1e-5)


def test_h02_as_many_groups_as_heads_is_multi_head():
    grouped = randomized(layers.GroupedQueryAttention(3, 4, 4), QUERY, VALUE)
    same(grouped, copied(grouped, layers.MultiHeadAttention(4, 3)))


def shared(change):
    """Grouped heads, and multi-head attention with their keys and values copied."""
    grouped = randomized(layers.GroupedQueryAttention(3, 4, 2), QUERY, VALUE)

    def copy(part, array):
        if part not in ("key_dense", "value_dense"):
            return array
        return change(array, array.ndim - 2)

    return grouped, copied(grouped, layers.MultiHeadAttention(4, 3), copy)


def test_h03_one_group_is_multi_query():
    grouped = randomized(layers.GroupedQueryAttention(3, 4, 1), QUERY, VALUE)
    keys = numpy(grouped.project_memory(VALUE, VALUE)[0])
    assert keys.shape[1] == 1  # one key for all heads is kept, not four

    def copy(part, array):
        axis = array.ndim - 2
        return np.repeat(array, 4, axis) if array.shape[axis] == 1 else array

    same(grouped, copied(grouped, layers.MultiHeadAttention(4, 3), copy))


def test_h04_grouped_heads_are_heads_with_repeated_keys():
    same(*shared(lambda array, axis: np.repeat(array, 2, axis)))


def test_h05_tiled_keys_are_another_function():
    def tile(array, axis):
        return np.concatenate([array, array], axis)

    grouped, tiled = shared(tile)
    difference = numpy(grouped(QUERY, VALUE)) - numpy(tiled(QUERY, VALUE))
    assert np.abs(difference).max() > 0.1
    asked = layers.GroupedQueryAttention(3, 4, 2, head_order="tile")
    same(copied(grouped, asked), tiled)


def test_h13_scores_of_normed_vectors_ignore_lengths_and_are_bounded():
    layer = layers.GroupedQueryAttention(
        3, 4, 2, use_bias=False, query_key_norm=norms.Unit(3.0)
    )
    randomized(layer, QUERY, VALUE)
    sharpness = np.abs(numpy(layer.norm_weights["query"][0].value))
    plain = layer.trace(QUERY, VALUE).scores
    assert (np.abs(plain) <= sharpness[:, None, None] + 1e-5).all()
    longer = layer.trace(7 * QUERY, VALUE, 0.2 * VALUE).scores
    assert_allclose(longer, plain, rtol=1e-4, atol=1e-5)
    free = randomized(layers.GroupedQueryAttention(3, 4, 2), QUERY, VALUE)
    raw = free.trace(QUERY, VALUE).scores
    assert np.abs(free.trace(7 * QUERY, VALUE).scores - raw).max() > 0.1


def test_h13_norms_come_before_the_turn_of_positions():
    """Turned queries keep the gain of their features only if normed first."""
    layer = layers.GroupedQueryAttention(
        4, 2, 1, query_key_norm=norms.RMS(), position=positions.RoPE(), use_bias=False
    )
    randomized(layer, QUERY, VALUE)
    trace = layer.trace(QUERY, VALUE, query_positions=np.array([4, 5, 6]))
    raw = np.einsum("btd,dhk->bhtk", QUERY, numpy(layer.query_dense.kernel.value))
    gain = numpy(layer.norm_weights["query"][0].value)
    normed = raw / np.sqrt(np.mean(raw**2, -1, keepdims=True) + 1e-6) * gain
    angles = np.array([4, 5, 6])[:, None] * np.array([1.0, 0.01])
    left, right = normed[..., :2], normed[..., 2:]
    turned = np.concatenate(
        [
            left * np.cos(angles) - right * np.sin(angles),
            right * np.cos(angles) + left * np.sin(angles),
        ],
        -1,
    )
    assert_allclose(trace.query, turned, rtol=1e-4, atol=1e-5)
