"""Perceiver: Jaegle et al. 2021, section 3.1; Perceiver IO, section 3.2."""

import math

import numpy as np

from tests.reference.reading import read
from tests.reference.sets import normed, part_of


def perceiver(weights, query, key, value, visible, heads=2, residual=True):
    """q + heads(LN(q), LN(k), LN(v)) W_O; without W_O the joined heads alone."""

    def projected(name, inputs):
        inputs = normed(inputs, weights, f"{name}_norm")
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    q, k = projected("query", query), projected("key", key)
    v = projected("value", value)
    width, joined, maps = q.shape[-1] // heads, [], []
    wide = v.shape[-1] // heads
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)

        def score(b, i, j, own=own):
            return q[b, i, own] @ k[b, j, own] / math.sqrt(width)

        context, attention = read(score, v[..., h * wide : (h + 1) * wide], visible)
        joined.append(context)
        maps.append(attention)
    output = np.concatenate(joined, axis=-1)
    if "attention_output/kernel" in weights:
        output = output @ weights["attention_output/kernel"]
        output = output + weights["attention_output/bias"]
    return query + output if residual else output, np.stack(maps, axis=1)


def latent_attention(weights, inputs, visible):
    """Learned latents ask."""
    latents = np.stack([weights["latents"]] * len(inputs))
    return perceiver(part_of(weights, "block"), latents, inputs, inputs, visible)
