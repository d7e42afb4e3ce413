"""Attention on graphs: a list of edges and a mask say the same."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Causal, layers
from regard.core.paths import hop_distances
from tests.conformance.gradients import gradients
from tests.invariants.tools import numpy, random, randomized, read

NODES = random(1, 2, 5, 4)
# Example 0: 2 is seen by 0 and 1, 0 by 1 and 4, and two places are padding. Node 2 and
# node 3 see nobody. Example 1: everyone sees everyone's left neighbour and itself.
FEW = [[2, 0], [2, 1], [0, 1], [0, 4], [3, 4], [1, 1]] + [[-1, -1]] * 4
RING = [[i, i] for i in range(5)] + [[(i - 1) % 5, i] for i in range(5)]
EDGES = np.array([FEW, RING], "int32")
MAKERS = {
    "gat": lambda **options: layers.GraphAttention(2, 3, **options),
    "gatv2": lambda **options: layers.GraphAttentionV2(2, 3, **options),
    "transformer": lambda **options: layers.GraphTransformer(
        2, 3, gated=True, **options
    ),
}


def adjacency(edges=EDGES, nodes=5):
    """(B, E, 2) as a mask (B, N, N)."""
    mask = np.zeros((len(edges), nodes, nodes), bool)
    for b, pairs in enumerate(edges):
        for source, target in pairs:
            if source >= 0:
                mask[b, target, source] = True
    return mask


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def test_edges_equal_the_mask(make):
    layer = randomized(make(), NODES)
    dense, maps = read(layer, NODES, attention_mask=adjacency())
    output, weights = read(layer, NODES, edges=EDGES)
    assert_allclose(output, dense, rtol=1e-5, atol=1e-6)
    for b, h, e in np.ndindex(weights.shape):
        source, target = EDGES[b, e]
        expected = maps[b, h, target, source] if source >= 0 else 0.0
        assert_allclose(weights[b, h, e], expected, rtol=1e-5, atol=1e-6)
    assert weights.shape == (2, 2, 10)


def test_gradients_along_edges_are_those_of_the_mask(make):
    layer = randomized(make(), NODES)
    upstream = keras.ops.convert_to_tensor(random(3, 2, 5, 6))

    def loss(**options):
        return lambda nodes: keras.ops.sum(layer(nodes, **options) * upstream)

    _, *dense = gradients(layer, loss(attention_mask=adjacency()), {"nodes": NODES})
    _, *sparse = gradients(layer, loss(edges=EDGES), {"nodes": NODES})
    for ours, expected in zip(sparse, dense, strict=True):
        for name, slope in expected.items():
            assert_allclose(ours[name], slope, rtol=1e-3, atol=1e-5, err_msg=name)


def test_masked_nodes_are_not_seen_along_edges(make):
    layer = randomized(make(), NODES)
    keep = np.array([[1, 1, 0, 1, 1], [1, 1, 1, 1, 0]], bool)
    masks = {"query_mask": keep, "value_mask": keep}
    dense = numpy(layer(NODES, attention_mask=adjacency(), **masks))
    spoilt = np.where(keep[..., None], NODES, np.float32("nan"))
    output, weights = read(layer, spoilt, edges=EDGES, **masks)
    assert_allclose(output, dense, rtol=1e-5, atol=1e-6)
    assert (weights[0, :, :2] == 0).all()
    upstream = keras.ops.convert_to_tensor(random(3, 2, 5, 6))

    def loss(nodes):
        return keras.ops.sum(layer(nodes, edges=EDGES, **masks) * upstream)

    _, for_nodes, for_weights = gradients(layer, loss, {"nodes": spoilt})
    for name, slope in {**for_nodes, **for_weights}.items():
        assert np.isfinite(slope).all(), name


def test_isolated_nodes_give_the_bias():
    for layer in (MAKERS["gat"](), MAKERS["gatv2"]()):
        randomized(layer, NODES)
        for options in ({"edges": EDGES}, {"attention_mask": adjacency()}):
            output = numpy(layer(NODES, **options))
            assert_allclose(output[0, 2:4], np.tile(numpy(layer.bias.value), (2, 1)))
            assert np.abs(output[0, 4] - numpy(layer.bias.value)).max() > 1e-2


def test_a_model_with_edges_saves_and_trains(make, tmp_path):
    nodes, edges = keras.Input((None, 4)), keras.Input((None, 2), dtype="int32")
    layer = make(dropout=0.3, seed=1)
    model = keras.Model([nodes, edges], layer(nodes, edges=edges))
    model.compile("sgd", "mse")
    history = model.fit([NODES, EDGES], random(4, 2, 5, 6), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    expected = numpy(model([NODES, EDGES]))
    model.save(tmp_path / "graph.keras")
    again = keras.models.load_model(tmp_path / "graph.keras")
    assert_allclose(numpy(again([NODES, EDGES])), expected, rtol=1e-6)
    spec = layer.compute_output_spec(nodes, edges=edges, return_attention_scores=True)
    assert spec[0].shape == (None, None, 6) and spec[1].shape == (None, 2, None)


def test_an_edge_given_twice_counts_twice():
    layer = randomized(MAKERS["gat"](), NODES)
    twice = np.concatenate([EDGES, EDGES[:, 1:2]], axis=1)
    _, weights = read(layer, NODES, edges=twice)
    assert_allclose(weights[:, :, 1], weights[:, :, -1])
    assert_allclose(weights[0, :, [1, 2, 5, 10]].sum(axis=0), 1.0, rtol=1e-5)


def test_the_trace_holds_the_edges():
    layer = randomized(MAKERS["gatv2"](), NODES)
    trace = layer.trace(NODES, edges=EDGES)
    _, weights = read(layer, NODES, edges=EDGES)
    assert_allclose(trace.extra["edge_weights"], weights)
    assert trace.extra["edges"].shape == EDGES.shape and trace.weights is None


def test_what_cannot_go_with_edges_is_refused(make):
    layer = make()
    for options in (
        {"attention_mask": adjacency()},
        {"use_causal_mask": True},
        {"bias": np.zeros((5, 5), "float32")},
    ):
        with pytest.raises(ValueError, match="cannot go with edges"):
            layer(NODES, edges=EDGES, **options)
    with pytest.raises(ValueError, match="normalizer cannot go with edges"):
        make(normalizer="sparsemax")(NODES, edges=EDGES)
    with pytest.raises(ValueError, match="scope cannot go with edges"):
        make(scope=Causal())(NODES, edges=EDGES)
    for wrong in (EDGES.astype("float32"), EDGES[0], EDGES[..., :1]):
        with pytest.raises(ValueError, match="edges must be integers of shape"):
            layer(NODES, edges=wrong)
    with pytest.raises(ValueError, match="gated must be False where root is False"):
        layers.GraphTransformer(2, 3, root=False, gated=True)
    with pytest.raises(ValueError, match="must have the same width"):
        layers.GraphAttention(2, 3)(NODES, random(5, 2, 5, 6))


def test_hops_are_counted_as_by_walking():
    random_graph = np.random.default_rng(7).random((2, 6, 6)) > 0.75
    found = numpy(hop_distances(keras.ops.convert_to_tensor(random_graph), 3))
    for b in range(2):
        for start in range(6):
            reached, border = {start: 0}, [start]
            for hops in (1, 2, 3):
                border = [
                    j
                    for i in border
                    for j in np.flatnonzero(random_graph[b, i])
                    if j not in reached
                ]
                reached.update({j: hops for j in border if j not in reached})
            for j in range(6):
                assert found[b, start, j] == reached.get(j, -1)


def test_graphormer_tells_distances_and_no_path_apart(tmp_path):
    distances = np.array([[[0, 1, 7], [-1, 0, 2], [2, 1, 0]]], "int32")
    layer = layers.GraphormerBias(2, max_distance=3)
    nodes, pairs = keras.Input((None, 4)), keras.Input((None, None), dtype="int32")
    heads = layers.MultiHeadAttention(2, 3)
    model = keras.Model([nodes, pairs], heads(nodes, bias=layer(pairs)))
    table = random(8, 5, 2)
    layer.table.assign(table)
    bias = numpy(layer(keras.ops.convert_to_tensor(distances)))
    rows = [[0, 1, 3], [4, 0, 2], [2, 1, 0]]
    assert_allclose(bias[0], np.moveaxis(table[rows], -1, 0), rtol=1e-6)
    arrays = [random(9, 1, 3, 4), distances]
    model.save(tmp_path / "graphormer.keras")
    again = keras.models.load_model(tmp_path / "graphormer.keras")
    assert_allclose(numpy(again(arrays)), numpy(model(arrays)), rtol=1e-6)
    with pytest.raises(ValueError, match="distances must be whole numbers"):
        layer(keras.ops.convert_to_tensor(distances.astype("float32")))


def test_padding_after_a_path_is_not_read():
    distances = np.array([[[0, 2], [1, 0]]], "int32")
    features = random(10, 1, 2, 2, 4, 3)
    layer = layers.GraphormerBias(2, 3, "glorot_uniform")
    expected = numpy(layer(keras.ops.convert_to_tensor(distances), features))
    spoilt = features.copy()
    for i, j in np.ndindex(2, 2):
        spoilt[0, i, j, distances[0, i, j] :] = np.nan
    found = numpy(layer(keras.ops.convert_to_tensor(distances), spoilt))
    assert_allclose(found, expected, rtol=1e-6)


FEATURES = random(11, 2, 10, 3)


def test_edge_features_enter_the_scores_of_gat():
    """Where the LeakyReLU is straight they are a bias."""
    layer = layers.GraphAttention(2, 3, negative_slope=1.0, edge_width=3)
    layer(NODES, edges=EDGES, edge_features=FEATURES)
    for weight in layer.trainable_variables:
        weight.assign(random(12, *weight.shape))
    output = numpy(layer(NODES, edges=EDGES, edge_features=FEATURES))
    kernel, vector = numpy(layer.edge_kernel.value), numpy(layer.edge.value)
    each = np.einsum("bef,fhu,hu->bhe", FEATURES, kernel, vector)
    bias = np.zeros((2, 2, 5, 5), "float32")
    for b, e in np.ndindex(2, 10):
        source, target = EDGES[b, e]
        if source >= 0:
            bias[b, :, target, source] = each[b, :, e]
    plain = layers.GraphAttention(2, 3, negative_slope=1.0)
    plain(NODES)
    for name in ("kernel", "source", "target", "bias"):
        getattr(plain, name).assign(getattr(layer, name).value)
    expected = numpy(plain(NODES, attention_mask=adjacency(), bias=bias))
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_edge_features_enter_keys_and_values_of_the_transformer():
    layer = layers.GraphTransformer(2, 3, edge_width=3, use_bias=False, root=False)
    layer(NODES, edges=EDGES, edge_features=FEATURES)
    for weight in layer.trainable_variables:
        weight.assign(random(13, *weight.shape))
    found = numpy(layer(NODES, edges=EDGES, edge_features=FEATURES))
    query, key, value = (
        np.einsum("bnd,dhu->bnhu", NODES, numpy(layer.projections[name][0].value))
        for name in ("query", "key", "value")
    )
    extra = np.einsum("bef,fhu->behu", FEATURES, numpy(layer.edge_kernel.value))
    expected = np.zeros((2, 5, 2, 3))
    for b, i, h in np.ndindex(2, 5, 2):
        seen = [e for e in range(10) if EDGES[b, e, 1] == i]
        sources = EDGES[b, seen, 0]
        keys = key[b, sources, h] + extra[b, seen, h]
        powers = np.exp(keys @ query[b, i, h] / np.sqrt(3))
        if seen:
            values = value[b, sources, h] + extra[b, seen, h]
            expected[b, i, h] = powers @ values / powers.sum()
    assert_allclose(found, expected.reshape(2, 5, 6), rtol=1e-4, atol=1e-5)


def test_edge_features_go_with_edges_alone(make):
    layer = make(edge_width=3)
    assert type(layer).from_config(layer.get_config()).edge_width == 3
    spoilt = np.where(EDGES[..., :1] >= 0, FEATURES, np.float32("nan"))
    output = numpy(layer(NODES, edges=EDGES, edge_features=spoilt))
    assert np.isfinite(output).all()
    for options in ({"edges": EDGES}, {"attention_mask": adjacency()}):
        with pytest.raises(ValueError, match="edge_features must be given with edges"):
            layer(NODES, **options)
    with pytest.raises(ValueError, match="edge_features must be given with edges"):
        layer(NODES, edge_features=FEATURES)
    with pytest.raises(ValueError, match="edge_features must be given with edges"):
        make()(NODES, edges=EDGES, edge_features=FEATURES)
