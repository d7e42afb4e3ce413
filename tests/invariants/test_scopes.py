"""M: windows, causality, padding and positions."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import (
    Blocks,
    Causal,
    Dilated,
    Everywhere,
    Neighbourhood,
    Prefix,
    Strided,
    Window,
    layers,
)
from tests.conformance.compiled import at_once
from tests.invariants.tools import numpy, random, randomized, read

X = random(1, 2, 6, 4)


def heads(**options):
    return randomized(layers.MultiHeadAttention(2, 3, **options), X)


def test_m01_a_wide_window_is_global():
    assert_array_equal(numpy(heads(scope=Window(5, 5))(X)), numpy(heads()(X)))


def test_m02_a_window_of_nothing_around_reads_the_own_value():
    assert_allclose(numpy(layers.DotAttention(scope=Window(0))(X)), X, rtol=1e-6)


def test_a_keras_window_is_ours_less_one():
    keras_like = heads(sliding_window=3)
    assert_array_equal(numpy(keras_like(X)), numpy(heads(scope=Window(2, 2))(X)))
    causal = numpy(keras_like(X, use_causal_mask=True))
    assert_array_equal(causal, numpy(heads(scope=Window(2))(X)))


def test_m05_a_step_of_1_is_a_window():
    assert_array_equal(
        numpy(heads(scope=Dilated(2, 1, step=1))(X)),
        numpy(heads(scope=Window(2, 1))(X)),
    )


@pytest.mark.parametrize("length", [1, 6, 9])
def test_m06_strides_of_1_or_beyond_the_input_are_causal(length):
    strided = numpy(heads(scope=Strided(length))(X))
    assert_array_equal(strided, numpy(heads(scope=Causal())(X)))


def test_m07_all_blocks_are_everything():
    blocks = Blocks(np.ones((3, 3), bool), 2)
    assert_array_equal(numpy(heads(scope=blocks)(X)), numpy(heads()(X)))
    assert np.abs(numpy(heads(scope=Blocks(np.eye(3), 2))(X) - heads()(X))).max() > 1e-3


def test_m07_if_every_token_is_global_everything_is_seen():
    everyone = Window(0) | Everywhere(range(6))
    assert_array_equal(numpy(heads(scope=everyone)(X)), numpy(heads()(X)))


def test_c13_every_row_of_a_neighbourhood_sees_as_many_keys():
    _, weights = read(layers.DotAttention(scope=Neighbourhood(3)), X)
    assert_array_equal((weights > 0).sum(-1), np.full((2, 6), 3))
    _, clipped = read(layers.DotAttention(scope=Window(1, 1)), X)
    assert ((clipped > 0).sum(-1) == 2).any()  # a window loses keys at the ends


def test_m08_what_comes_later_does_not_change_what_came_before():
    layer = heads(scope=Causal())
    before, changed = numpy(layer(X)), X.copy()
    changed[:, 4:] = 100.0
    assert_array_equal(numpy(layer(changed))[:, :4], before[:, :4])


def test_m09_a_masked_tail_of_garbage_changes_nothing():
    layer = heads()
    padded = np.concatenate([X, np.full((2, 3, 4), 1e6, "float32")], axis=1)
    keep = np.arange(9) < 6
    found = numpy(layer(padded, value_mask=np.stack([keep, keep])))
    assert_allclose(found[:, :6], numpy(layer(X)), rtol=1e-5, atol=1e-6)


def test_m10_one_empty_row_is_zero_and_the_others_unchanged():
    mask = np.ones((6, 6), bool)
    mask[2] = False
    output, weights = read(layers.DotAttention(), X, attention_mask=mask)
    whole, full = read(layers.DotAttention(), X)
    assert_array_equal(output[:, 2], np.zeros((2, 4)))
    assert_array_equal(weights[:, 2], np.zeros((2, 6)))
    assert_allclose(np.delete(output, 2, 1), np.delete(whole, 2, 1), rtol=1e-6)
    assert_allclose(np.delete(weights, 2, 1), np.delete(full, 2, 1), rtol=1e-6)


def test_m11_zero_times_nan_is_nan_so_masked_values_are_replaced():
    value = X.copy()
    value[:, 5] = np.nan
    keep = np.arange(6) < 5
    weights = np.where(keep, 1 / 5, 0.0)
    assert np.isnan(weights @ value[0]).all()  # the shortcut
    output = numpy(layers.DotAttention()(X, value, X, value_mask=np.stack([keep] * 2)))
    assert np.isfinite(output).all()


def test_m15_decoding_step_by_step_is_the_causal_pass():
    """Step t attends to the first t + 1 keys of a growing memory."""
    layer = heads()
    ask = at_once(partial(layer, use_causal_mask=True))
    full = numpy(ask(X))
    for t in range(6):
        row = numpy(ask(X[:, t : t + 1], X[:, : t + 1]))
        assert_allclose(row[:, 0], full[:, t], rtol=1e-5, atol=1e-6)


def test_m17_causal_masks_are_aligned_to_the_last_query():
    layer = layers.DotAttention()
    square = read(layer, X, use_causal_mask=True)[1]
    last = read(layer, X[:, 4:], X, use_causal_mask=True)[1]
    assert_allclose(last, square[:, 4:], rtol=1e-6)
    first = read(layer, X[:, 5:], X, attention_mask=Causal(offset=0))[1]
    assert_array_equal(first[0, 0], np.eye(6)[0])  # top-left sees only key 0


def test_m18_a_prefix_of_nothing_is_causal_and_of_all_is_global():
    assert_array_equal(
        numpy(heads(scope=Causal() | Prefix(0))(X)), numpy(heads(scope=Causal())(X))
    )
    assert_array_equal(numpy(heads(scope=Causal() | Prefix(6))(X)), numpy(heads()(X)))


def test_m16_sinks_and_a_wide_window_are_causal():
    streaming = heads(scope=Causal() & (Window(5) | Prefix(2)))
    assert_array_equal(numpy(streaming(X)), numpy(heads(scope=Causal())(X)))


def test_m19_m20_order_matters_only_to_a_causal_mask():
    order = [3, 0, 5, 1, 4, 2]
    layer = heads()
    plain = numpy(layer(X))
    assert_allclose(numpy(layer(X[:, order])), plain[:, order], rtol=1e-5, atol=1e-6)
    causal = numpy(layer(X, use_causal_mask=True))
    moved = numpy(layer(X[:, order], use_causal_mask=True))
    assert np.abs(moved - causal[:, order]).max() > 1e-2


def test_m21_zero_scores_and_a_causal_mask_are_the_running_mean():
    zeros = np.zeros((2, 6, 4), "float32")
    found = numpy(layers.DotAttention()(zeros, X, zeros, use_causal_mask=True))
    means = np.cumsum(X, axis=1) / np.arange(1, 7)[:, None]
    assert_allclose(found, means, rtol=1e-5, atol=1e-6)
