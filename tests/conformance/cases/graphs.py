"""Attention of nodes to their neighbours."""

from functools import partial

from regard import layers
from tests.conformance.case import Case, Sizes
from tests.conformance.kinds import MEMORY, ROW_SHIFT, SOFT, VARIANT, soft
from tests.reference import graphs
from tests.reference.normalizers import sparsemax

NODES = Sizes(key_width=4, value_width=4)  # one kernel for queries, keys and values
SIDES = Sizes(key_width=7)  # one for keys and values


def graphormer(name, *arguments):
    return Case(
        name,
        partial(
            layers.GraphormerBias,
            2,
            max_distance=3,
            embeddings_initializer="glorot_uniform",
        ),
        graphs.graphormer_bias,
        arguments=("distances", *arguments),
        memory=("distances",),
        queries=None,
        layout=lambda s: {
            name: (s.batch, s.query, s.key, *rest)
            for name, rest in (("distances", ()), ("path_features", (4, 7)))
            if name in ("distances", *arguments)
        },
        free={"distances": (1,), "path_features": (1,)},
        whole={"distances": 6},
        places=2,
    )


CASES = [
    soft(
        "graph_attention",
        partial(layers.GraphAttention, 2, 3),
        graphs.graph_attention,
        sizes=NODES,
    ),
    soft(
        "graph_attention_mean",
        partial(
            layers.GraphAttention,
            2,
            3,
            concatenate=False,
            negative_slope=0.1,
            use_bias=False,
            normalizer="sparsemax",
        ),
        partial(
            graphs.graph_attention,
            slope=0.1,
            concatenate=False,
            normalizer=sparsemax,
        ),
        sizes=NODES,
        tags=VARIANT,
    ),
    soft(
        "graph_attention_v2",
        partial(layers.GraphAttentionV2, 2, 3),
        graphs.graph_attention_v2,
        sizes=SIDES,
    ),
    soft(
        "graph_attention_v2_shared",
        partial(
            layers.GraphAttentionV2,
            2,
            3,
            concatenate=False,
            share_weights=True,
            use_bias=False,
        ),
        partial(graphs.graph_attention_v2, concatenate=False, shared=True),
        sizes=NODES,
        tags=VARIANT,
    ),
    soft(
        "graph_transformer",
        partial(layers.GraphTransformer, 2, 3),
        graphs.graph_transformer,
        still={"key_bias": ROW_SHIFT},
        tags=MEMORY | SOFT | {"direct"},
    ),
    soft(
        "graph_transformer_gated",
        partial(layers.GraphTransformer, 2, 3, gated=True),
        graphs.graph_transformer,
        still={"key_bias": ROW_SHIFT},
        tags=VARIANT,
    ),
    soft(
        "graph_transformer_mean",
        partial(
            layers.GraphTransformer,
            2,
            3,
            concatenate=False,
            root=False,
            use_bias=False,
        ),
        partial(graphs.graph_transformer, concatenate=False),
        tags=VARIANT,
    ),
    graphormer("graphormer_bias"),
    graphormer("graphormer_bias_edges", "path_features"),
]
