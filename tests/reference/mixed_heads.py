"""Heads that mix or subtract their maps, and keys of the layer's own.

Shazeer et al. 2020, section 4; Ye et al. 2024, section 2.1; Sukhbaatar et al. 2019,
section 4. Kernels as Keras keeps them.
"""

import math

import numpy as np

from tests.reference.normalizers import softmax


def projected(weights, name, array):
    """(B, T, D) -> (B, H, T, width)."""
    heads = np.einsum("btd,dhk->bhtk", array, weights[f"{name}/kernel"])
    bias = weights.get(f"{name}/bias")
    return heads if bias is None else heads + bias[:, None]


def products(weights, query, key):
    """Scaled products of every head (B, H, T, S)."""
    q, k = projected(weights, "query", query), projected(weights, "key", key)
    return np.einsum("bhtk,bhsk->bhts", q, k) / math.sqrt(q.shape[-1])


def rows(scores, visible):
    """Softmax of what each row of each head may see."""
    weights = np.zeros(scores.shape)
    for b, h, i in np.ndindex(*scores.shape[:3]):
        seen = np.flatnonzero(visible[b, i])
        if len(seen):
            weights[b, h, i, seen] = softmax(scores[b, h, i, seen])
    return weights


def joined(weights, contexts):
    """(B, H, T, v) -> (B, T, D)."""
    output = np.einsum("bhtv,hvo->bto", contexts, weights["attention_output/kernel"])
    return output + weights.get("attention_output/bias", 0.0)


def talking_heads(weights, query, key, value, visible):
    """Scores are mixed over heads before softmax, weights after it."""
    scores = products(weights, query, key)
    if "score_mix" in weights:
        scores = np.einsum("bfts,fg->bgts", scores, weights["score_mix"])
    attention = rows(scores, visible)
    if "weight_mix" in weights:
        attention = np.einsum("bgts,gh->bhts", attention, weights["weight_mix"])
        attention = attention * visible[:, None]
    values = projected(weights, "value", value)
    return joined(weights, attention @ values), attention


def faded(maps, spans, reach, ramp):
    """Every look fades with the distance in its own way, then sums to 1 again.

    Sukhbaatar et al. 2019, "Adaptive attention span", section 2.2.
    """
    found = np.zeros(maps.shape)
    before = maps.shape[3] - maps.shape[2]
    for b, look, i in np.ndindex(*maps.shape[:3]):
        far = np.abs(np.arange(maps.shape[3]) - (before + i))
        left = np.clip((ramp + spans[look] * reach - far) / ramp, 0.0, 1.0)
        row = maps[b, look, i] * left
        found[b, look, i] = row / (row.sum() or 1.0)
    return found


def differential(weights, query, key, value, visible, first=0.2, span=None):
    """The first map of a head minus lambda times its second, then a norm.

    ``span``: reach and ramp of the looks, where they have one.
    """
    maps = rows(products(weights, query, key), visible)
    if span is not None:
        maps = faded(maps, weights["span"], *span)
    share = (
        np.exp(weights["lambda_query_1"] @ weights["lambda_key_1"])
        - np.exp(weights["lambda_query_2"] @ weights["lambda_key_2"])
        + first
    )
    heads = maps.shape[1] // 2
    attention = maps[:, :heads] - share * maps[:, heads:]
    contexts = attention @ projected(weights, "value", value)
    mean = np.mean(contexts**2, axis=-1, keepdims=True)
    normed = contexts / np.sqrt(mean + 1e-5) * weights.get("norm_gain", 1.0)
    return joined(weights, (1 - first) * normed), attention


def persistent_memory(weights, query, key, value, visible, zeros=0):
    """Learned keys and values behind the real ones, seen by every real query.

    A query that is masked itself sees none of them; here no query is.
    """
    q, k = projected(weights, "query", query), projected(weights, "key", key)
    v = projected(weights, "value", value)

    def extended(memory, name):
        own = weights.get(f"memory_{name}", np.zeros((memory.shape[1], 0, 1)))
        own = np.broadcast_to(own, (len(own), own.shape[1], memory.shape[-1]))
        own = np.concatenate(
            [own, np.zeros((*own[:, :0].shape[:1], zeros, own.shape[-1]))], 1
        )
        own = np.broadcast_to(own, (len(memory), *own.shape))
        return np.concatenate([memory, own], axis=2)

    k, v = extended(k, "key"), extended(v, "value")
    more = k.shape[2] - key.shape[1]
    seen = np.concatenate([visible, np.ones((*visible.shape[:2], more), bool)], -1)
    scores = np.einsum("bhtk,bhsk->bhts", q, k) / math.sqrt(q.shape[-1])
    attention = rows(scores, seen)
    return joined(weights, attention @ v), attention
