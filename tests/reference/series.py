"""Time series: auto-correlation, shared values, patterns over time."""

import math

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def auto_correlation(weights, query, value, key, visible, heads=2, factor=1):
    """Wu et al. 2021, section 3.2, with the correlation as a plain double sum.

    `visible` (B, T, S) tells which steps of the memory are real.
    """

    def projected(name, inputs):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    batch, length, _ = query.shape
    real = visible[:, 0][..., None]
    q = projected("query", query)

    def fitted(name, inputs):
        found = np.where(real, projected(name, np.where(real, inputs, 0.0)), 0.0)
        padded = np.zeros((batch, length, found.shape[-1]))
        kept = min(length, found.shape[1])
        padded[:, :kept] = found[:, :kept]
        return padded

    k, v = fitted("key", key), fitted("value", value)
    count = max(1, min(length, int(factor * math.log(length))))
    context, shown = np.zeros_like(v), np.zeros((batch, length))
    for b in range(batch):
        strength = np.zeros(length)
        for delay in range(length):
            for t in range(length):
                strength[delay] += np.mean(q[b, t] * k[b, (t - delay) % length])
        chosen = np.argsort(-strength)[:count]
        shown[b, chosen] = softmax(strength[chosen])
        for t in range(length):
            for delay in chosen:
                context[b, t] += shown[b, delay] * v[b, (t + delay) % length]
    return projected("attention_output", context), shown


def interpretable(weights, query, key, value, visible, heads=2):
    """Lim et al. 2019, section 4.4: shared values, the mean of the heads."""

    def projected(name, inputs):
        bias = weights.get(f"{name}/bias", 0.0)
        return inputs @ weights[f"{name}/kernel"] + bias

    q, k = projected("query", query), projected("key", key)
    v, width = projected("value", value), q.shape[-1] // heads
    maps = []
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)

        def score(b, i, j, own=own):
            return q[b, i, own] @ k[b, j, own] / math.sqrt(width)

        maps.append(read(score, v, visible)[1])
    mean = np.mean(maps, axis=0)
    return projected("attention_output", mean @ v), np.stack(maps, axis=1)
