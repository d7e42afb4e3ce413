"""M12 to M14: softmax attention in pieces of the keys."""

from functools import reduce

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard.core import scores
from regard.core.online import by_keys, merge, part
from tests.conformance.gradients import gradients
from tests.invariants.tools import numpy, random

B, H, T, S = 2, 2, 4, 9
SCORES, VALUE = 3 * random(1, B, H, T, S), random(2, B, H, S, 5)
MASK = np.random.default_rng(3).random((B, 1, T, S)) > 0.4
MASK[:, :, :, :4] = False  # the first chunks show nothing
MASK[0, 0, 1] = False  # and one row shows nothing at all


def expected(mask=None):
    powers = np.exp(SCORES.astype("float64") - SCORES.max())
    powers = powers if mask is None else powers * mask
    total = powers.sum(-1, keepdims=True)
    return powers / np.where(total == 0, 1, total) @ VALUE


def piece(columns, mask=None):
    seen = None if mask is None else keras.ops.convert_to_tensor(mask[..., columns])
    given = keras.ops.convert_to_tensor(SCORES[..., columns])
    return part(given, keras.ops.convert_to_tensor(VALUE[:, :, columns]), seen)


@pytest.mark.parametrize("chunk", [1, 2, 4, 9])
@pytest.mark.parametrize("mask", [None, MASK], ids=["seen", "masked"])
def test_m12_chunks_of_keys_equal_the_whole(chunk, mask):
    pieces = [piece(slice(i, i + chunk), mask) for i in range(0, S, chunk)]
    found = numpy(reduce(merge, pieces).context())
    assert_allclose(found, expected(mask), rtol=1e-4, atol=1e-5)
    if mask is not None:
        assert (found[0, :, 1] == 0).all()


def test_m13_the_order_of_chunks_does_not_matter():
    pieces = [piece(slice(i, i + 2), MASK) for i in range(0, S, 2)]
    forwards = numpy(reduce(merge, pieces).context())
    backwards = numpy(reduce(merge, pieces[::-1]).context())
    assert_allclose(forwards, backwards, rtol=1e-5, atol=1e-6)


def test_m14_contexts_of_parts_merge_by_their_log_sums():
    first, second = piece(slice(0, 6)), piece(slice(6, S))
    logs = np.stack([numpy(each.log_sum()) for each in (first, second)])
    share = np.exp(logs - logs.max(0))
    share = share / share.sum(0)
    contexts = np.stack([numpy(each.context()) for each in (first, second)])
    assert_allclose((share * contexts).sum(0), expected(), rtol=1e-4, atol=1e-5)
    plain = contexts.mean(0)
    assert np.abs(plain - expected()).max() > 0.05


def test_m12_gradients_through_chunks_equal_those_of_the_whole():
    query, key = random(4, B, H, T, 3), random(5, B, H, S, 3)
    upstream = keras.ops.convert_to_tensor(random(6, B, H, T, 5))

    def loss(chunk):
        def total(query, key, value):
            mask = keras.ops.convert_to_tensor(MASK)
            read = by_keys(query, key, value, scores.dot, mask, chunk)
            return keras.ops.sum(read.context() * upstream)

        return total

    given = {"query": query, "key": key, "value": VALUE}
    nothing = keras.layers.Layer()
    _, whole, _ = gradients(nothing, loss(S), given)
    _, chunks, _ = gradients(nothing, loss(2), given)
    for name in given:
        assert np.isfinite(chunks[name]).all()
        assert_allclose(chunks[name], whole[name], rtol=1e-3, atol=1e-5)
