"""Self-attention over the pixels of images (B, H, W, C); visible (B, H, W)."""

import numpy as np

from tests.reference.image_gates import dense
from tests.reference.normalizers import softmax
from tests.reference.reading import read


def rows(inputs, visible):
    """Pixels as a sequence, hidden ones zero, and which are real."""
    batch, height, width, channels = inputs.shape
    hidden = np.where(visible[..., None], inputs, 0.0)
    flat = (batch, height * width)
    return hidden.reshape(*flat, channels), visible.reshape(flat)


def dot_product(weights, pixels, shown, normalizer):
    """softmax(theta(x_i) . phi(x_j)) over the real pixels j, and the values read."""
    query, key, value = (dense(weights, n, pixels) for n in ("query", "key", "value"))
    everyone = np.repeat(shown[:, None], shown.shape[1], axis=1)
    return read(lambda b, i, j: query[b, i] @ key[b, j], value, everyone, normalizer)


def non_local(weights, inputs, visible, normalizer=softmax):
    """Wang et al. 2017, equations 4 and 6, with the gain of section 4.1."""
    pixels, shown = rows(inputs, visible)
    context, attention = dot_product(weights, pixels, shown, normalizer)
    output = pixels + weights["gain"] * dense(weights, "attention_output", context)
    return output.reshape(inputs.shape), attention


def sagan(weights, inputs, visible):
    """Zhang et al. 2018, equations 1-3."""
    pixels, shown = rows(inputs, visible)
    context, attention = dot_product(weights, pixels, shown, softmax)
    return (pixels + weights["gain"] * context).reshape(inputs.shape), attention


def double(weights, inputs, visible):
    """Chen et al. 2018, equations 3-5: gather, then distribute."""
    pixels, shown = rows(inputs, visible)
    batch, count, _ = pixels.shape
    values = dense(weights, "values", pixels)
    gather, spread = dense(weights, "gather", pixels), dense(weights, "spread", pixels)
    attention = np.zeros((batch, count, count))
    for b in range(batch):
        seen = np.flatnonzero(shown[b])
        for i in range(count):
            shares = softmax(spread[b, i])
            for slot, share in enumerate(shares):
                if len(seen):
                    attention[b, i, seen] += share * softmax(gather[b, seen, slot])
    output = attention @ values
    if "attention_output/kernel" in weights:
        output = dense(weights, "attention_output", output)
    return output.reshape(*inputs.shape[:3], -1), attention
