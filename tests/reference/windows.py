"""Attention within parts of an image: along its axes, and in shifted windows."""

import math

import numpy as np

from tests.reference.multi_head import multi_head
from tests.reference.normalizers import softmax


def below(weights, path):
    """Weights under a path, by the rest of their names."""
    return {k.removeprefix(path): w for k, w in weights.items() if k.startswith(path)}


def axial(weights, inputs, visible, axes=("height", "width")):
    """Ho et al. 2019, section 3: rows as a batch, then columns as a batch."""
    image, maps = np.where(visible[..., None], inputs, 0.0), {}
    batch, channels = image.shape[0], image.shape[-1]
    for axis in axes:
        upright = axis == "height"
        turned = image.swapaxes(1, 2) if upright else image
        shown = visible.swapaxes(1, 2) if upright else visible
        lines, length = turned.shape[1:3]
        rows = turned.reshape(batch * lines, length, channels)
        seen = shown.reshape(batch * lines, length)
        rows = np.where(seen[..., None], rows, 0.0)
        allowed = seen[:, :, None] & seen[:, None, :]
        found, attention = multi_head(
            below(weights, f"{axis}/"), rows, rows, rows, allowed
        )
        found = found.reshape(batch, lines, length, channels)
        image = found.swapaxes(1, 2) if upright else found
        maps[axis] = attention.reshape(batch, lines, -1, length, length)
    return image, maps[axes[-1]]


def shifted_window(weights, inputs, visible, window, shift=(0, 0)):
    """Liu et al. 2021, section 3.2: pixel by pixel in the coordinates of the image."""
    weights = below(weights, "attention/")
    heads, size = weights["query/kernel"].shape[1:]
    batch, height, width, _ = inputs.shape
    inputs = np.where(visible[..., None], inputs, 0.0)
    tall, wide = (-(-n // m) * m for n, m in zip((height, width), window, strict=True))
    places = window[0] * window[1]
    count = (tall // window[0]) * (wide // window[1])
    maps = np.zeros((batch, count, heads, places, places))
    output = np.zeros_like(inputs) + weights.get("attention_output/bias", 0.0)

    def home(i, j):
        """Window, place in it, and how a pixel came there by the roll."""
        i, j = (i - shift[0]) % tall, (j - shift[1]) % wide
        number = (i // window[0]) * (wide // window[1]) + j // window[1]
        inner = (i % window[0]) * window[1] + j % window[1]
        return number, inner, (i >= tall - shift[0], j >= wide - shift[1])

    def project(name, pixel, h):
        kernel, bias = weights[f"{name}/kernel"], weights.get(f"{name}/bias")
        return pixel @ kernel[:, h] + (0 if bias is None else bias[h])

    table = weights["relative_position_bias_table"]
    for b, i, j, h in np.ndindex(batch, height, width, heads):
        if not visible[b, i, j]:
            continue
        number, inner, came = home(i, j)
        keys = [
            (k, n)
            for k, n in np.ndindex(height, width)
            if visible[b, k, n] and home(k, n)[::2] == (number, came)
        ]
        query = project("query", inputs[b, i, j], h)
        scores = []
        for k, n in keys:
            row = (i - k + window[0] - 1) * (2 * window[1] - 1) + j - n + window[1] - 1
            key = project("key", inputs[b, k, n], h)
            scores.append(query @ key / math.sqrt(size) + table[row, h])
        for share, (k, n) in zip(softmax(np.array(scores)), keys, strict=True):
            maps[b, number, h, inner, home(k, n)[1]] = share
            value = project("value", inputs[b, k, n], h)
            output[b, i, j] += share * value @ weights["attention_output/kernel"][h]
    return output, maps
