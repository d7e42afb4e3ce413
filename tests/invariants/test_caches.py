"""M15, M17 and what heads save, on caches."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Causal, layers, positions
from tests.conformance.compiled import at_once
from tests.conformance.subject import numpy

X = np.random.default_rng(15).normal(size=(2, 6, 8)).astype("float32")
HEADS = {
    "multi": lambda **more: layers.MultiHeadAttention(4, 2, **more),
    "grouped": lambda **more: layers.GroupedQueryAttention(2, 4, 2, **more),
    "talking": lambda **more: layers.TalkingHeadsAttention(4, 2, **more),
    "differential": lambda **more: layers.DifferentialAttention(2, 2, **more),
}


@pytest.mark.parametrize("name", HEADS)
def test_m15_step_t_of_a_cache_is_row_t_of_the_causal_pass(name):
    layer = HEADS[name](position=positions.RoPE())
    full, weights = layer(X, use_causal_mask=True, return_attention_scores=True)
    full, weights = numpy(full), numpy(weights)
    cache = layer.initial_cache(2, 6)
    ask = at_once(partial(layer, return_attention_scores=True))
    for t in range(6):
        row, seen, cache = ask(X[:, t : t + 1], state=cache)
        assert_allclose(numpy(row)[:, 0], full[:, t], rtol=1e-4, atol=1e-5)
        assert_allclose(numpy(seen)[:, :, 0], weights[:, :, t], rtol=1e-4, atol=1e-5)


def test_m15_without_what_came_before_a_step_is_another():
    """Negative control: an empty cache gives another row, but for the first."""
    layer = HEADS["multi"]()
    full = numpy(layer(X, use_causal_mask=True))
    for t in range(6):
        row, _ = layer(X[:, t : t + 1], state=layer.initial_cache(2, 6))
        apart = np.abs(numpy(row)[:, 0] - full[:, t]).max()
        assert (apart < 1e-5) == (t == 0)


def test_m17_a_query_of_a_cache_sees_all_keys_before_it():
    layer = HEADS["multi"]()
    layer.build((None, None, 8))
    _, cache = layer(X[:, :5], state=layer.initial_cache(2, 6))
    _, seen, _ = layer(X[:, 5:], state=cache, return_attention_scores=True)
    assert (numpy(seen) > 0).all()
    # Counted from the top left, the only row would see nothing but key 0.
    _, first = layer(
        X[:, 5:], X, attention_mask=Causal(offset=0), return_attention_scores=True
    )
    assert_allclose(numpy(first)[:, :, 0], np.eye(6)[:1] * np.ones((2, 4, 1)))


def kept(cache):
    """Numbers that a cache holds for every token of a row."""
    names = set(cache) - {"position", "overflow"}
    return sum(cache[name].shape[1] * cache[name].shape[3] for name in names)


def test_h02_h03_groups_keep_less_by_their_number():
    sizes = {}
    for groups in (4, 2, 1):
        layer = layers.GroupedQueryAttention(2, 4, groups)
        layer.build((None, None, 8))
        sizes[groups] = kept(layer.initial_cache(1, 3))
    assert sizes == {4: 16, 2: 8, 1: 4}
    layer = HEADS["multi"]()
    layer.build((None, None, 8))
    assert kept(layer.initial_cache(1, 3)) == sizes[4]


@pytest.mark.parametrize("absorb", [False, True])
def test_h07_a_cache_of_latents_holds_no_heads(absorb):
    layer = layers.MultiHeadLatentAttention(4, 2, 5, rope_dim=2, absorb=absorb)
    full = numpy(layer(X, use_causal_mask=True))
    cache = layer.initial_cache(2, 6)
    assert kept(cache) == 5 + 2  # whatever the number of heads
    for t in range(6):
        row, cache = layer(X[:, t : t + 1], state=cache)
        assert_allclose(numpy(row)[:, 0], full[:, t], rtol=1e-4, atol=1e-5)
