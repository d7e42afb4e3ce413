"""What is hidden, and what an edge list leaves out, is explained as it was computed."""

from dataclasses import replace

import numpy as np
import pytest

import regard
from regard import layers

REAL = np.array([[1, 1, 1, 1, 0], [1, 0, 1, 1, 0]], bool)
APPROXIMATIONS = {
    "linformer": lambda: layers.LinformerAttention(2, 3, rows=9, maximum_length=8),
    "nystrom": lambda: layers.NystromAttention(2, 3, landmarks=4),
    "nystrom_of_the_batch": lambda: layers.NystromAttention(
        2, 3, landmarks=2, whole_batch=True
    ),
    "prob_sparse": lambda: layers.ProbSparseAttention(2, 3, factor=1),
    "prob_sparse_sums": lambda: layers.ProbSparseAttention(
        2, 3, factor=1, causal=True, others="sum"
    ),
    "attention_free": lambda: layers.AttentionFree(3, maximum_length=8, causal=True),
}
GRAPHS = (layers.GraphAttention, layers.GraphAttentionV2, layers.GraphTransformer)


def sequences(width=4):
    return np.random.default_rng(3).normal(size=(2, 5, width)).astype("float32")


def wrong(steps):
    return [
        (each.name, each.check) for each in steps if each.check and each.check.failed
    ]


def outputs_checked(steps):
    return [each.what for each in steps.checks].count("output")


@pytest.mark.parametrize("query", [0, 3, 4])
@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_padding_of_an_approximation(name, query):
    layer, given = APPROXIMATIONS[name](), sequences()
    layer(given)
    steps = regard.explain(
        layer, given, query=query, example=1, head=1, value_mask=REAL
    )
    assert not wrong(steps), steps
    assert outputs_checked(steps) == 1


def with_biases(layer, *inputs):
    """With weights of which none is zero: what is hidden is projected to the bias."""
    layer(*inputs)
    rng = np.random.default_rng(6)
    for each in layer.trainable_variables:
        each.assign(rng.normal(size=each.shape, scale=0.5))
    return layer


BIASED = {
    "linformer": lambda: layers.LinformerAttention(2, 3, rows=4, maximum_length=8),
    "linformer_shared": lambda: layers.LinformerAttention(
        2, 3, rows=4, maximum_length=8, share=True
    ),
    "nystrom": lambda: layers.NystromAttention(2, 3, landmarks=2, convolution=3),
    "latent": lambda: layers.MultiHeadLatentAttention(2, 4, 3, 2, use_bias=True),
    "latent_queries": lambda: layers.MultiHeadLatentAttention(
        2, 4, 3, query_latent_dim=3, absorb=True
    ),
    "graph": lambda: layers.GraphTransformer(2, 3),
    "graph_gated": lambda: layers.GraphTransformer(2, 3, gated=True),
}


@pytest.mark.parametrize("mask", ["query_mask", "value_mask"])
@pytest.mark.parametrize("name", BIASED)
def test_padding_where_nothing_is_zero(name, mask):
    given = sequences()
    trace = with_biases(BIASED[name](), given).trace(given, **{mask: REAL})
    hidden = with_biases(BIASED[name](), given).trace(
        given, **{mask: np.zeros((2, 5), bool)}
    )
    for query, each in ((0, trace), (1, trace), (4, trace), (2, hidden)):
        steps = regard.explain(each, query=query, example=1, head=1)
        assert not wrong(steps), steps
        assert outputs_checked(steps) == 1


def test_delays_of_a_series_that_is_hidden():
    layer, given = layers.AutoCorrelation(2, 3, factor=2), sequences(9)
    real = np.array([[False] * 5, [True] * 5])
    trace = with_biases(layer, given).trace(given, value_mask=real)
    for example in range(2):
        assert not wrong(regard.explain(trace, example=example))
    others = [n for n in range(5) if n not in trace.extra["delays"][1]]
    delays = np.array(trace.extra["delays"])
    delays[1, 0] = others[0]
    broken = replace(trace, extra={**trace.extra, "delays": delays})
    assert "best" in [name for name, _ in wrong(regard.explain(broken, example=1))]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("query", [0, 2, 4])
def test_padding_of_hashing(query, causal):
    layer = layers.LSHAttention(2, 3, rounds=2, buckets=4, chunk=2, causal=causal)
    given = sequences()
    layer(given)
    steps = regard.explain(layer, given, query=query, example=1, mask=REAL)
    assert not wrong(steps), steps
    told = regard.explain(
        layer, given, query=query, buckets=np.zeros((2, 2, 2, 5), int)
    )
    assert not wrong(told), told
    assert "bucket" not in [each.name for each in told]


@pytest.mark.parametrize("query", [0, 2, 4])
def test_padding_of_a_window_with_global_tokens(query):
    layer, given = layers.LongformerAttention(2, 3, window=1), sequences()
    layer(given)
    for real in (REAL, np.zeros((2, 5), bool)):
        steps = regard.explain(layer, given, query=query, example=1, mask=real)
        assert not wrong(steps), steps
    assert "from key" not in steps["mixed"].sentence
    assert "there is nothing to read" in steps["mixed"].sentence


@pytest.mark.parametrize("width", [None, 3])
@pytest.mark.parametrize("kind", GRAPHS)
def test_edges_of_a_graph(kind, width):
    nodes = sequences(5)
    edges = np.array([[0, 1], [4, 1], [3, 1], [1, 0], [1, 1], [-1, -1]], "int32")
    edges = np.stack([edges, np.roll(edges, 2, 0)])
    options = {"edges": edges, "value_mask": REAL}
    if width:
        features = np.random.default_rng(5).normal(size=(2, 6, width))
        options["edge_features"] = features.astype("float32")
    layer = kind(2, 3, edge_width=width)
    layer(nodes, **options)
    steps = regard.explain(layer, nodes, query=1, head=1, example=0, **options)
    assert not wrong(steps), steps
    assert steps["edges_here"].value.tolist() == [0, 2, 4]  # 4 -> 1 begins in padding
    alone = regard.explain(layer, nodes, query=2, **options)
    assert not wrong(alone), alone
    assert alone["edges_here"].value.tolist() == []
