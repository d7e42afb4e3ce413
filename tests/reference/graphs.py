"""Attention to neighbours, node by node; visible (B, T, S) says who they are."""

import math

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def joined(heads, concatenate):
    return np.concatenate(heads, axis=-1) if concatenate else sum(heads) / len(heads)


def by_heads(weights, name, h, inputs):
    kernel, bias = weights[f"{name}kernel"], weights.get(f"{name}bias")
    return inputs @ kernel[:, h] + (0.0 if bias is None else bias[h])


def graph_attention(weights, query, key, value, visible, **options):
    """Velickovic et al. 2017, equations 1-6: LeakyReLU(a . [W h_i; W h_j])."""
    slope, normalizer = options.get("slope", 0.2), options.get("normalizer", softmax)
    contexts, maps = [], []
    for h in range(weights["kernel"].shape[1]):
        q, k, v = (x @ weights["kernel"][:, h] for x in (query, key, value))
        both = np.concatenate(
            [weights["target_score_vector"][h], weights["source_score_vector"][h]]
        )

        def score(b, i, j, q=q, k=k, both=both):
            return leaky(both @ np.concatenate([q[b, i], k[b, j]]), slope)

        context, attention = read(score, v, visible, normalizer)
        contexts.append(context)
        maps.append(attention)
    output = joined(contexts, options.get("concatenate", True))
    return output + weights.get("bias", 0.0), np.stack(maps, axis=1)


def graph_attention_v2(weights, query, key, value, visible, **options):
    """Brody et al. 2021, equation 7: a . LeakyReLU(W [h_i; h_j])."""
    slope = options.get("slope", 0.2)
    target = "source_" if options.get("shared") else "target_"
    contexts, maps = [], []
    for h in range(weights["source_kernel"].shape[1]):
        q = by_heads(weights, target, h, query)
        k, v = (by_heads(weights, "source_", h, x) for x in (key, value))

        def score(b, i, j, q=q, k=k, h=h):
            return weights["score_vector"][h] @ leaky(q[b, i] + k[b, j], slope)

        context, attention = read(score, v, visible)
        contexts.append(context)
        maps.append(attention)
    output = joined(contexts, options.get("concatenate", True))
    return output + weights.get("bias", 0.0), np.stack(maps, axis=1)


def graph_transformer(weights, query, key, value, visible, concatenate=True):
    """Shi et al. 2020, equations 1-4, without edge features."""
    contexts, maps = [], []
    heads, units = weights["query_kernel"].shape[1:]
    for h in range(heads):
        q, k, v = (
            by_heads(weights, f"{name}_", h, x)
            for name, x in (("query", query), ("key", key), ("value", value))
        )

        def score(b, i, j, q=q, k=k):
            return q[b, i] @ k[b, j] / math.sqrt(units)

        context, attention = read(score, v, visible)
        contexts.append(context)
        maps.append(attention)
    output = joined(contexts, concatenate)
    if "root_kernel" in weights:
        root = query @ weights["root_kernel"] + weights.get("root_bias", 0.0)
        if "gate_kernel" in weights:
            both = np.concatenate([output, root, output - root], axis=-1)
            share = 1 / (1 + np.exp(-both @ weights["gate_kernel"]))
            output = share * root + (1 - share) * output
        else:
            output = output + root
    return output, np.stack(maps, axis=1)


def graphormer_bias(weights, distances, visible, path_features=None, longest=3):
    """Ying et al. 2021, equations 6 and 7: a row per distance, a mean along paths."""
    table = weights["distance_table"]
    batch, rows, columns = distances.shape
    bias = np.zeros((batch, table.shape[1], rows, columns))
    for b, i, j in np.ndindex(batch, rows, columns):
        hops = int(distances[b, i, j])
        bias[b, :, i, j] = table[longest + 1 if hops < 0 else min(hops, longest)]
        if path_features is not None:
            edges = path_features[b, i, j, : max(hops, 0)]
            if len(edges):
                each = np.einsum(
                    "pf,pfh->ph", edges, weights["edge_table"][: len(edges)]
                )
                bias[b, :, i, j] += each.mean(axis=0)
    return bias, None
