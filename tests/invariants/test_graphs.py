"""V08-V11: attention on graphs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read

NODES = random(1, 1, 6, 4)
EVERYONE = np.ones((1, 6, 6), bool)


def ranking(weights, tolerance=1e-6):
    """For each query the order of its keys, (N, N), and True where it is clear."""
    order = np.argsort(weights, axis=-1)
    gaps = np.diff(np.take_along_axis(weights, order, axis=-1), axis=-1)
    return order, gaps.min() > tolerance


@pytest.mark.parametrize("make", [layers.GraphAttention, layers.GraphAttentionV2])
def test_v08_self_loops_alone_are_a_projection(make):
    layer = randomized(make(2, 3, use_bias=False), NODES)
    kernel = layer.kernel if make is layers.GraphAttention else layer.source[0]
    expected = np.einsum("bnd,dhu->bnhu", NODES, numpy(kernel.value)).reshape(1, 6, 6)
    loops = np.repeat(np.arange(6)[None, :, None], 2, axis=-1).astype("int32")
    for options in ({"attention_mask": np.eye(6, dtype=bool)}, {"edges": loops}):
        found = numpy(layer(NODES, **options))
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [layers.GraphAttention, layers.GraphAttentionV2])
def test_v08_nodes_may_change_places(make):
    layer = randomized(make(2, 3), NODES)
    mask = np.random.default_rng(2).random((1, 6, 6)) > 0.4
    order = np.random.default_rng(3).permutation(6)
    moved = mask[:, order][:, :, order]
    found = numpy(layer(NODES[:, order], attention_mask=moved))
    expected = numpy(layer(NODES, attention_mask=mask))[:, order]
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_v09_gat_ranks_neighbours_alike_for_all():
    layer = randomized(layers.GraphAttention(2, 3), NODES)
    _, weights = read(layer, NODES, attention_mask=EVERYONE)
    for h in range(2):
        order, clear = ranking(weights[0, h])
        assert clear
        assert (order == order[0]).all()


def test_v10_gatv2_does_not():
    layer = randomized(layers.GraphAttentionV2(2, 3), NODES)
    _, weights = read(layer, NODES, attention_mask=EVERYONE)
    order, clear = ranking(weights[0, 0])
    assert clear
    assert (order != order[0]).any()


def test_v11_the_joined_vector_is_a_sum_of_two_numbers():
    layer = randomized(layers.GraphAttention(1, 3, negative_slope=1.0), NODES)
    trace = layer.trace(NODES, attention_mask=EVERYONE)
    projected = NODES[0] @ numpy(layer.kernel.value)[:, 0]
    vector = np.concatenate(
        [numpy(layer.target.value)[0], numpy(layer.source.value)[0]]
    )
    pairs = [[np.concatenate([i, j]) @ vector for j in projected] for i in projected]
    assert_allclose(trace.scores[0, 0], pairs, rtol=1e-4, atol=1e-5)
    assert trace.query.shape[-1] == trace.key.shape[-1] == 1  # never (N, N, 2 units)
