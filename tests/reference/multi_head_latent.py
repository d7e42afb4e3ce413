"""Multi-head latent attention: DeepSeek-AI 2024, section 2.1.

Positions as in Su et al. 2021, pairs of neighbouring features, on the parts apart.
"""

import math

import numpy as np

from tests.reference.mixed_heads import joined, projected, rows


def turned(vectors, places, base=10000.0):
    """Pair m of the last axis turns by place * base^(-2m/r)."""
    turning = vectors.copy()
    half = vectors.shape[-1] // 2
    for t, place in enumerate(places):
        for m in range(half):
            angle = place * base ** (-2 * m / (2 * half))
            x, y = vectors[..., t, 2 * m], vectors[..., t, 2 * m + 1]
            turning[..., t, 2 * m] = x * math.cos(angle) - y * math.sin(angle)
            turning[..., t, 2 * m + 1] = y * math.cos(angle) + x * math.sin(angle)
    return turning


def down(weights, name, inputs):
    """x W + b."""
    return inputs @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0.0)


def rms(latent, gain, epsilon=1e-6):
    if gain is None:
        return latent
    return latent / np.sqrt(np.mean(latent**2, -1, keepdims=True) + epsilon) * gain


def multi_head_latent(weights, query, key, value, visible, turning=0, mscale=1.0):
    """The first ``turning`` features of queries and of what is kept turn."""
    if "query_down/kernel" in weights:
        query_latent = down(weights, "query_down", query)
        query_latent = rms(query_latent, weights.get("query_gain"))
        queries = projected(weights, "query", query_latent)
    else:
        queries = projected(weights, "query", query)
    kept, other = (down(weights, "memory_down", each) for each in (key, value))
    gain = weights.get("memory_gain")
    keys = projected(weights, "key", rms(kept[..., turning:], gain))
    values = projected(weights, "value", rms(other[..., turning:], gain))
    count, start = key.shape[1], key.shape[1] - query.shape[1]
    q_turned = turned(queries[..., :turning], range(start, count))
    k_turned = turned(kept[:, None, :, :turning], range(count))
    scores = np.einsum("bhtd,bhsd->bhts", queries[..., turning:], keys)
    scores = scores + np.einsum("bhtd,bgsd->bhts", q_turned, k_turned)
    scores = scores * mscale**2 / math.sqrt(queries.shape[-1])
    attention = rows(scores, visible)
    return joined(weights, attention @ values), attention
