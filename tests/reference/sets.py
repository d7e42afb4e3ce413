"""The Set Transformer: Lee et al. 2019, section 3, by the authors' residual."""

import math

import numpy as np

from tests.reference.reading import read


def normed(vectors, weights, name):
    """Layer normalization with epsilon 1e-5, where the block has it."""
    if f"{name}/gamma" not in weights:
        return vectors
    mean = vectors.mean(-1, keepdims=True)
    variance = ((vectors - mean) ** 2).mean(-1, keepdims=True)
    unit = (vectors - mean) / np.sqrt(variance + 1e-5)
    return unit * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def set_block(weights, query, key, value, visible, heads=2, full_scale=False):
    """H = LN(Q + heads(Q, K, V)), O = LN(H + relu(H W + b)), Q projected."""

    def projected(name, inputs):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    q, k = projected("query", query), projected("key", key)
    v = projected("value", value)
    width = q.shape[-1] // heads
    scale = math.sqrt(q.shape[-1] if full_scale else width)
    hidden, maps = q.copy(), []
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)

        def score(b, i, j, own=own):
            return q[b, i, own] @ k[b, j, own] / scale

        context, attention = read(score, v[..., own], visible)
        hidden[..., own] += context
        maps.append(attention)
    hidden = normed(hidden, weights, "norm")
    output = hidden + np.maximum(projected("feed_forward", hidden), 0.0)
    return normed(output, weights, "output_norm"), np.stack(maps, axis=1)


def part_of(weights, name):
    """The weights of a layer inside."""
    prefix = f"{name}/"
    found = {k: v for k, v in weights.items() if k.startswith(prefix)}
    return {k.removeprefix(prefix): v for k, v in found.items()}


def multi_head_pooling(weights, inputs, visible):
    """Equation 11 without the row-wise layer: the block of seeds and set."""
    seeds = np.stack([weights["seeds"]] * len(inputs))
    own = part_of(weights, "block")
    return set_block(own, seeds, inputs, inputs, visible)


def induced_set_block(weights, inputs, visible):
    """Equations 9 and 10; an element that is hidden reads nothing."""
    inputs = np.where(visible[..., None], inputs, 0.0)
    points = np.stack([weights["points"]] * len(inputs))
    gather, answer = part_of(weights, "gather"), part_of(weights, "answer")
    shape = (len(inputs), points.shape[1], inputs.shape[1])
    seen = np.broadcast_to(visible[:, None], shape)
    found, gathered = set_block(gather, points, inputs, inputs, seen)
    asked = np.broadcast_to(visible[..., None], (shape[0], shape[2], shape[1]))
    output, answered = set_block(answer, inputs, found, found, asked)
    return output, answered @ gathered
