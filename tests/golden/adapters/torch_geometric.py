"""Attention on graphs in PyTorch Geometric."""

import numpy as np
from keras import ops

from regard.layers import (
    DotAttention,
    GraphAttention,
    GraphAttentionV2,
    GraphTransformer,
)
from tests.golden.tools import Applied, adapts, linear


def common(case, loops=True):
    """Constructor options that all convolutions share, and the edges (1, E, 2)."""
    options = case.constructor
    if isinstance(options.get("in_channels"), (list, tuple)):
        raise NotImplementedError("graphs with two kinds of nodes have no adapter")
    edges = case.arrays["in.edge_index"].T
    if loops and options.get("add_self_loops", True):
        nodes = np.arange(len(case.arrays["in.x"]))
        edges = edges[edges[:, 0] != edges[:, 1]]
        edges = np.concatenate([edges, np.stack([nodes, nodes], axis=1)])
    sizes = (options.get("heads", 1), options["out_channels"])
    shared = {"concatenate": options.get("concat", True)}
    shared["edge_width"] = options.get("edge_dim")
    if loops:
        shared["negative_slope"] = options.get("negative_slope", 0.2)
    return sizes, shared, edges[None].astype("int32")


def in_heads(t, name, heads):
    """A linear layer to all heads: kernel (D, H, units) and, if any, bias."""
    weight = t[f"{name}.weight"]
    kernel = ops.reshape(ops.transpose(weight), (weight.shape[1], heads, -1))
    bias = t.get(f"{name}.bias")
    return [kernel] if bias is None else [kernel, ops.reshape(bias, (heads, -1))]


def features_of(t, case, edges):
    """Edge features (1, E, F); a self-loop gets what ``fill_value`` makes of the rest.

    That is a number, or the mean or sum over the edges that end at the node.
    """
    if "in.edge_attr" not in t:
        return {}
    features, index = t["in.edge_attr"], case.arrays["in.edge_index"]
    if len(features.shape) == 1:
        features = features[:, None]
    count = edges.shape[1]
    if count == index.shape[1] and not loops_added(case):
        return {"edge_features": features[None]}
    kept = np.flatnonzero(index[0] != index[1])
    features = ops.take(features, kept.astype("int32"), axis=0)
    nodes, fill = count - len(kept), case.constructor.get("fill_value", "mean")
    if fill not in ("mean", "add") and not isinstance(fill, (int, float)):
        raise NotImplementedError(f"fill_value={fill!r} has no adapter")
    ends = (index[1, kept] == np.arange(nodes)[:, None]).astype("float32")
    if fill == "mean":
        ends = ends / np.maximum(ends.sum(axis=1, keepdims=True), 1)
    loops = ops.matmul(ops.convert_to_tensor(ends), features)
    if isinstance(fill, (int, float)):
        loops = ops.full_like(loops, fill)
    return {"edge_features": ops.concatenate([features, loops])[None]}


def loops_added(case):
    convolution = not case.name.endswith("TransformerConv")
    return convolution and case.constructor.get("add_self_loops", True)


def answer(t, case, layer, weights, edges):
    """Output and weights by the package's names, with what stands around."""
    output, attention = layer(
        weights,
        t["in.x"][None],
        edges=edges,
        return_attention_scores=True,
        **features_of(t, case, edges),
    )
    output = output[0]
    if case.constructor.get("residual"):
        output = output + linear(t, "w.res", t["in.x"])
    if "w.bias" in t:
        output = output + t["w.bias"]
    return {
        "out.y": output,
        "out.attention": ops.transpose(attention[0]),
        "out.attention_edges": ops.convert_to_tensor(edges[0].T),
    }


@adapts("torch_geometric.GATConv")
def gat(case):
    sizes, shared, edges = common(case)
    layer = Applied(GraphAttention(*sizes, use_bias=False, **shared))

    def run(t):
        weights = [*in_heads(t, "w.lin", sizes[0]), t["w.att_src"][0]]
        weights.append(t["w.att_dst"][0])
        if "w.att_edge" in t:
            weights += [*in_heads(t, "w.lin_edge", sizes[0]), t["w.att_edge"][0]]
        return answer(t, case, layer, weights, edges)

    return run


@adapts("torch_geometric.GATv2Conv")
def gat_v2(case):
    sizes, shared, edges = common(case)
    shared["share_weights"] = case.constructor.get("share_weights", False)
    biased = "w.lin_l.bias" in case.arrays
    layer = Applied(GraphAttentionV2(*sizes, use_bias=biased, **shared))

    def run(t):
        weights = in_heads(t, "w.lin_l", sizes[0])
        if not shared["share_weights"]:
            weights += in_heads(t, "w.lin_r", sizes[0])
        if "w.lin_edge.weight" in t:
            weights += in_heads(t, "w.lin_edge", sizes[0])
        weights.append(t["w.att"][0])
        if biased:  # ours has one on the output too; theirs is added after the rest
            merged = sizes[0] * sizes[1] if shared["concatenate"] else sizes[1]
            weights.append(ops.zeros((merged,)))
        return answer(t, case, layer, weights, edges)

    return run


@adapts("torch_geometric.TransformerConv")
def transformer(case):
    sizes, shared, edges = common(case, loops=False)
    rooted = case.constructor.get("root_weight", True)
    gated = rooted and case.constructor.get("beta", False)
    shared["use_bias"] = case.constructor.get("bias", True)
    layer = Applied(GraphTransformer(*sizes, root=rooted, gated=gated, **shared))

    def run(t):
        weights = []
        for name in ("query", "key", "value"):
            weights += in_heads(t, f"w.lin_{name}", sizes[0])
        if "w.lin_edge.weight" in t:
            weights += in_heads(t, "w.lin_edge", sizes[0])
        if rooted:
            weights += [ops.transpose(t["w.lin_skip.weight"])]
            weights += [t["w.lin_skip.bias"]] if shared["use_bias"] else []
        if gated:
            weights.append(ops.transpose(t["w.lin_beta.weight"]))
        return answer(t, case, layer, weights, edges)

    return run


@adapts("torch_geometric.AttentionalAggregation")
def attentional_aggregation(case):
    """One query 1 for each group; the gate is the key, and the group the mask."""
    groups = case.call.get("groups") or case.arrays["out.y"].shape[0]
    if "w.gate_nn.weight" not in case.arrays:
        raise NotImplementedError("gates of several layers have no adapter")
    layer = Applied(DotAttention())

    def run(t):
        gate = linear(t, "w.gate_nn", t["in.x"])
        if gate.shape[-1] != 1:
            raise NotImplementedError("a gate per feature has no adapter")
        value = linear(t, "w.nn", t["in.x"]) if "w.nn.weight" in t else t["in.x"]
        members = ops.arange(groups)[:, None] == ops.cast(t["in.index"], "int32")[None]
        query = ops.ones((1, groups, 1))
        output = layer([], query, value[None], gate[None], attention_mask=members)
        return {"out.y": output[0]}

    return run
