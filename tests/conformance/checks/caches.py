"""Caches: what was seen before is kept, and every way to go on gives one answer."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from tests.conformance.checks.registry import check
from tests.conformance.checks.steps import take
from tests.conformance.compiled import at_once
from tests.conformance.subject import numpy, rng_of

BATCH, LENGTH, WIDTH = 2, 6, 6
COMPILING = ("jax", "tensorflow")  # where every new shape costs


def alone(subject):
    """A layer of the case over one sequence, with random weights, and a sequence."""
    rng = rng_of(subject.case.name, "alone")
    layer = subject.case.make()
    x = rng.normal(size=(BATCH, LENGTH, WIDTH)).astype("float32")
    layer.build(x.shape)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape, scale=0.7))
    return layer, x


def prefix_of(layer):
    """Tokens that see each other, so that a first call must hold them all."""
    return 0 if layer.scope is None else layer.scope.prefix()


def whole(layer, x, window=None):
    """Output and weights of one causal call without a cache."""
    scope = regard.Causal() | regard.Prefix(prefix_of(layer))
    if window is not None:
        scope = scope & regard.Window(window - 1, LENGTH)
    ask = partial(layer, attention_mask=scope, return_attention_scores=True)
    return numpy(at_once(ask)(x))


def continued(ask, x, cache, cuts):
    """Outputs, weights and the last cache of a call for every piece of x."""
    outputs, weights = [], []
    for piece in np.split(x, cuts, axis=1):
        output, weight, cache = ask(piece, state=cache)
        outputs.append(numpy(output))
        weights.append(numpy(weight))
    return outputs, weights, cache


def continuing(layer):
    """A call that goes on from a cache: output, weights and the cache after it."""
    return at_once(partial(layer, return_attention_scores=True))


def ways(layer):
    """At once, in two pieces, and one by one (after what must come at once)."""
    start = max(1, prefix_of(layer))
    return [], [max(3, start)], list(range(start, LENGTH))


@check("caches")
def cached_calls_equal_the_full_call(subject):
    layer, x = alone(subject)
    expected, expected_weights = whole(layer, x)
    ask, capacity = continuing(layer), LENGTH + 2
    for cuts in ways(layer):
        cache = layer.initial_cache(BATCH, capacity)
        outputs, weights, cache = continued(ask, x, cache, cuts)
        assert_allclose(np.concatenate(outputs, 1), expected, rtol=1e-4, atol=1e-5)
        shown = np.concatenate(weights, -2)
        assert shown.shape[-1] == capacity + layer.own_keys
        assert not shown[..., LENGTH:capacity].any()
        shown = np.delete(shown, range(LENGTH, capacity), axis=-1)
        assert_allclose(shown, expected_weights, rtol=1e-4, atol=1e-5)
        assert_array_equal(numpy(cache["position"]), [LENGTH] * BATCH)
        assert not numpy(cache["overflow"]).any()


@check("caches", sampled_on=COMPILING)
def rings_keep_the_last_keys(subject):
    layer, x = alone(subject)
    if layer.by_column:
        with pytest.raises(ValueError, match="ring must be False"):
            layer.initial_cache(BATCH, 3, ring=True)
        return
    for capacity in (3, LENGTH + 2):
        expected, _ = whole(layer, x, window=capacity)
        ask = continuing(layer)
        for cuts in ways(layer):
            cache = layer.initial_cache(BATCH, capacity, ring=True)
            outputs, _, cache = continued(ask, x, cache, cuts)
            assert_allclose(np.concatenate(outputs, 1), expected, rtol=1e-4, atol=1e-5)
            for name, leaf in cache.items():
                assert name == "position" or leaf.shape[2] == capacity


@check("caches", sampled_on=COMPILING)
def padding_of_a_prompt_leaves_no_trace(subject):
    """On either side: as if the row had been given without it."""
    layer, x = alone(subject)
    start = max(2, prefix_of(layer))
    expected = [
        whole(layer, x[:1])[0][0],
        whole(layer, x[1:, LENGTH - start - 2 :])[0][0],
    ]
    junk = np.full((LENGTH - start - 2, WIDTH), np.nan, "float32")
    keep = np.ones((BATCH, LENGTH - 2), bool)
    for side in ("left", "right"):
        real = x[1, LENGTH - start - 2 : -2]
        row = np.concatenate([junk, real] if side == "left" else [real, junk])
        keep[1] = np.isfinite(row[:, 0])
        prompt = np.stack([x[0, :-2], row])
        cache = layer.initial_cache(BATCH, LENGTH + 1)
        output, cache = layer(prompt, state=cache, value_mask=keep)
        output = numpy(output)
        assert_allclose(output[0], expected[0][:-2], rtol=1e-4, atol=1e-5)
        assert_allclose(output[1][keep[1]], expected[1][:-2], rtol=1e-4, atol=1e-5)
        assert_array_equal(numpy(cache["position"]), [LENGTH - 2, start])
        for at in (-2, -1):
            output, cache = layer(x[:, [at]], state=cache)
            wanted = np.stack([each[at] for each in expected])
            assert_allclose(numpy(output)[:, 0], wanted, rtol=1e-4, atol=1e-5)


@check("caches", sampled_on=COMPILING)
def full_caches_raise(subject):
    layer, x = alone(subject)
    cache = layer.initial_cache(BATCH, LENGTH)
    with pytest.raises(ValueError, match="state must have room"):
        layer(np.concatenate([x, x], 1), state=cache)
    _, cache = layer(x, state=cache)
    before = {name: numpy(leaf) for name, leaf in cache.items()}
    with pytest.raises(ValueError, match="state must have room"):
        layer(x[:, :1], state=cache)
    for name, leaf in cache.items():
        assert_array_equal(numpy(leaf), before[name])


@check("caches", sampled_on=COMPILING)
def caches_are_explicit_and_follow_a_reordered_batch(subject):
    layer, x = alone(subject)
    attributes = set(vars(layer))
    start = max(3, prefix_of(layer))
    _, cache = layer(x[:, :start], state=layer.initial_cache(BATCH, LENGTH))
    for leaf in keras.tree.flatten(cache):
        assert leaf.shape[0] == BATCH
    order = [1, 1]
    expected, _ = layer(x[order][:, start:], state=take(cache, order))
    found, _ = layer(x[:, start:], state=cache)
    again, _ = layer(x[:, start:], state=cache)
    assert_allclose(numpy(expected)[0], numpy(found)[1], rtol=1e-5, atol=1e-6)
    assert_array_equal(numpy(again), numpy(found))
    assert set(vars(layer)) == attributes


@check("caches", sampled_on=COMPILING)
def caches_refuse_what_they_cannot_hold(subject):
    layer, x = alone(subject)
    cache = layer.initial_cache(BATCH, LENGTH)
    with pytest.raises(ValueError, match="value must be None where state"):
        layer(x, x, state=cache)
    with pytest.raises(ValueError, match="query_positions must be None where state"):
        layer(x, state=cache, query_positions=np.arange(LENGTH))
    with pytest.raises(ValueError, match="attention_mask must compare positions"):
        layer(x, state=cache, attention_mask=regard.Causal(offset=0))
    with pytest.raises(ValueError, match="must be built"):
        subject.case.make().initial_cache(BATCH, LENGTH)
