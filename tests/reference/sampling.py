"""Reading images between their pixels, one place after another."""

import math

import numpy as np

from tests.reference.image_gates import dense
from tests.reference.normalizers import softmax


def read_at(image, x, y):
    """Bilinear reading of (H, W, C) at column x, row y; zeros beyond."""
    height, width, channels = image.shape
    total = np.zeros(channels)
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < height and 0 <= column < width:
                share = (1 - abs(x - column)) * (1 - abs(y - row))
                total = total + share * image[row, column]
    return total


def pixel(place, count, align_corners):
    return place * (count - 1) if align_corners else place * count - 0.5


def deformable(
    weights, query, value, reference_points, visible, heads=2, points=2, **options
):
    """Zhu et al. 2020, equation 2, for one level; visible (B, H, W)."""
    normalizer = options.get("normalizer", softmax)
    aligned = options.get("align_corners", False)
    batch, queries, _ = query.shape
    shown = visible[..., None]
    values = dense(weights, "value", np.where(shown, value, 0.0)) * shown
    height, width, total = values.shape[1:]
    size = total // heads
    offsets = query @ weights["offset_map"] + weights["offset_bias"]
    offsets = offsets.reshape(batch, queries, heads, points, 2)
    logits = query @ weights["weight_map"] + weights["weight_bias"]
    logits = logits.reshape(batch, queries, heads, points)
    context = np.zeros((batch, queries, total))
    maps = np.zeros((batch, heads, queries, points))
    for b, i, h in np.ndindex(batch, queries, heads):
        part = slice(h * size, (h + 1) * size)
        maps[b, h, i] = normalizer(logits[b, i, h])
        for k in range(points):
            reference, offset = reference_points[b, i], offsets[b, i, h, k]
            if len(reference) == 4:
                place = reference[:2] + offset / points * reference[2:] / 2
            else:
                place = reference + offset / np.array([width, height])
            x, y = pixel(place[0], width, aligned), pixel(place[1], height, aligned)
            read = read_at(values[b, :, :, part], x, y)
            context[b, i, part] += maps[b, h, i, k] * read
    return dense(weights, "attention_output", context), maps


def spatial_transformer(
    weights, inputs, visible, features=None, size=None, align_corners=False
):
    """Jaderberg et al. 2015, equations 1 and 5."""
    if features is None:
        features = inputs.mean(axis=(1, 2))
    batch, height, width, channels = inputs.shape
    rows, columns = size or (height, width)
    output = np.zeros((batch, rows, columns, channels))

    def coordinate(i, count):
        if align_corners:
            return 2 * i / max(count - 1, 1) - 1
        return (2 * i + 1) / count - 1

    for b in range(batch):
        matrix = (features[b] @ weights["kernel"] + weights["bias"]).reshape(2, 3)
        for i, j in np.ndindex(rows, columns):
            place = [coordinate(j, columns), coordinate(i, rows), 1.0]
            x, y = (matrix @ place + 1) / 2
            x, y = pixel(x, width, align_corners), pixel(y, height, align_corners)
            output[b, i, j] = read_at(inputs[b], x, y)
    return output, None
