"""Position schemes inside multi-head attention, pair by pair.

A scheme is a function ``score(weights, head, q, k, i, j)`` of one projected query at
place i and one key at place j, already over the root of the width; keys stand at
0..S-1 and queries at the last T of them, as their papers have it.
"""

import math

import numpy as np

from tests.reference.normalizers import softmax


def with_positions(  # noqa: PLR0913 - a scheme, and what every reference is given
    weights, query, key, value, visible, score, heard=None, fade=None
):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) with another score.

    ``heard(weights, i, j)`` is added to the value at j that the query at i reads;
    normalized weights are multiplied by ``fade(weights, h, i, j)`` and divided by their
    sum.
    """
    heads = weights["query/kernel"].shape[1]
    queries, keys = query.shape[1], value.shape[1]
    output = np.zeros((*query.shape[:2], weights["attention_output/kernel"].shape[-1]))
    output += weights["attention_output/bias"]
    maps = np.zeros((len(query), heads, queries, keys))
    for b, h, row in np.ndindex(len(query), heads, queries):
        seen = np.flatnonzero(visible[b, row])
        if len(seen) == 0:
            continue
        i = keys - queries + row
        q = projected(weights, "query", h, query[b, row])
        scores = [
            score(weights, h, q, projected(weights, "key", h, key[b, j]), i, j)
            for j in seen
        ]
        maps[b, h, row, seen] = softmax(np.array(scores))
        if fade is not None:
            maps[b, h, row, seen] *= [fade(weights, h, i, j) for j in seen]
            maps[b, h, row] /= maps[b, h, row].sum() or 1.0
        for j in seen:
            read = projected(weights, "value", h, value[b, j])
            read = read if heard is None else read + heard(weights, i, j)
            kernel = weights["attention_output/kernel"][h]
            output[b, row] += maps[b, h, row, j] * read @ kernel
    return output, maps


def projected(weights, name, head, vector):
    return vector @ weights[f"{name}/kernel"][:, head] + weights[f"{name}/bias"][head]


def shaw(weights, head, q, k, i, j):
    """Shaw et al. 2018, equation 4."""
    return q @ (k + near(weights["relative_key"], i, j)) / math.sqrt(len(q))


def shaw_values(weights, i, j):
    """Shaw et al. 2018, equation 3."""
    return near(weights["relative_value"], i, j)


def near(table, i, j):
    """The row of the clipped distance from i to j."""
    reach = len(table) // 2
    return table[min(max(j - i, -reach), reach) + reach]


def transformer_xl(weights, head, q, k, i, j):
    """Dai et al. 2019, section 3.3: terms (a) to (d)."""
    kernel = weights["relative_projection"][:, head]
    size = len(kernel)
    angles = [(i - j) * 10000.0 ** (-2 * m / size) for m in range(size // 2)]
    wave = np.array([math.sin(a) for a in angles] + [math.cos(a) for a in angles])
    place = wave @ kernel
    u, v = weights["content_bias"][head], weights["position_bias"][head]
    return (q @ k + q @ place + u @ k + v @ place) / math.sqrt(len(q))


def disentangled(weights, head, q, k, i, j, order="paper"):
    """He et al. 2020, equation 4; with the order of the code, p2c reads delta(i, j)."""
    reach = len(weights["relative_key"]) // 2

    def delta(first, second):
        return min(max(first - second + reach, 0), 2 * reach - 1)

    place_key = weights["relative_key"][delta(i, j), head]
    turned = delta(j, i) if order == "paper" else delta(i, j)
    place_query = weights["relative_query"][turned, head]
    return (q @ k + q @ place_key + k @ place_query) / math.sqrt(3 * len(q))


def biased(number):
    """q.k over the root of the width, plus ``number(weights, heads, head, i, j)``."""

    def score(weights, head, q, k, i, j):
        heads = weights["query/kernel"].shape[1]
        return q @ k / math.sqrt(len(q)) + number(weights, heads, head, i, j)

    return score


def alibi(weights, heads, head, i, j):
    """Press et al. 2021, section 3, for a power of two and in both directions."""
    return -(2.0 ** (-8 * (head + 1) / heads)) * abs(i - j)


def t5(weights, heads, head, i, j):
    """Raffel et al. 2019, section 2.1: 8 buckets up to distance 12, both directions."""
    distance, start = abs(j - i), 4 if j > i else 0
    if distance >= 2:  # half of the 4 buckets of a direction are single distances
        grown = 2 + math.floor(math.log(distance / 2) / math.log(12 / 2) * 2)
        distance = min(grown, 3)
    return weights["relative_attention_bias"][start + distance, head]


def kerple(weights, heads, head, i, j, curve="log"):
    """Chi et al. 2022: the logarithmic variant, or that of powers."""
    size, shape = (
        max(weights[name][head], 0.01)
        for name in ("distance_penalty", "distance_curve")
    )
    if curve == "log":
        return -size * math.log(1 + shape * abs(i - j))
    return -size * abs(i - j) ** min(shape, 2.0)


def fire(weights, heads, head, i, j, threshold=3.0):
    """Li et al. 2023: distance over the way back to the start, both spread by log."""
    scale = abs(weights["distance_scale"])
    limit = abs(weights["distance_threshold"]) * threshold
    part = math.log(1 + scale * abs(i - j)) / (
        math.log(1 + scale * max(i, limit)) + 1e-6
    )
    hidden = part * weights["distance_projection"][0] + weights["distance_bias"]
    return np.maximum(hidden, 0) @ weights["bias_projection"][:, head]


def window(weights, heads, head, i, j, height=2, width=3):
    """Liu et al. 2021, equation 4."""
    down, right = apart(i, j, height, width)
    table = weights["relative_position_bias_table"]
    table = table.reshape(2 * height - 1, 2 * width - 1, -1)
    return table[down + height - 1, right + width - 1, head]


def apart(i, j, height, width):
    """Lines and places between two tokens; outside the window as at its edge."""
    down = min(max(i // width - j // width, 1 - height), height - 1)
    return down, i % width - j % width


def continuous_window(weights, heads, head, i, j, height=2, width=3):
    """Liu et al. 2022 (Swin V2), equations 3 and 4, as released."""
    down, right = apart(i, j, height, width)
    steps = [8 * down / (height - 1), 8 * right / (width - 1)]
    scaled = np.array([np.sign(d) * np.log2(1 + abs(d)) / np.log2(8) for d in steps])
    hidden = scaled @ weights["distance_projection"] + weights["distance_bias"]
    hidden = np.maximum(hidden, 0) @ weights["bias_projection"]
    return 16 / (1 + np.exp(-hidden[head]))


def rotary(weights, head, q, k, i, j, base=10000.0):
    """Su et al. 2021, equation 16, with features d and d + D/2 as a pair."""
    return turned(q, i, base) @ turned(k, j, base) / math.sqrt(len(q))


def turned(vector, place, base):
    pairs = len(vector) // 2
    numbers = vector[:pairs] + 1j * vector[pairs:]
    frequencies = base ** (-2 * np.arange(pairs) / len(vector))
    numbers = numbers * np.exp(1j * place * frequencies)
    return np.concatenate([numbers.real, numbers.imag])


def axial(weights, head, q, k, i, j, columns=3):
    """Heo et al. 2024, section 3: two rotations."""
    half = len(q) // 2
    total = 0.0
    for part, a, b in (
        (slice(half), i // columns, j // columns),
        (slice(half, None), i % columns, j % columns),
    ):
        total += turned(q[part], a, 100.0) @ turned(k[part], b, 100.0)
    return total / math.sqrt(len(q))


def xpos(weights, head, q, k, i, j, decay_base=4.0):
    """Sun et al. 2022, section 2: a rotation and a decay per pair."""
    pairs = len(q) // 2
    zeta = (2 * np.arange(pairs) / len(q) + 0.4) / 1.4
    fading = np.tile(zeta ** ((i - j) / decay_base), 2)
    return (fading * turned(q, i, 1e4)) @ turned(k, j, 1e4) / math.sqrt(len(q))


def plain(weights, head, q, k, i, j):
    """No positions in the scores."""
    return q @ k / math.sqrt(len(q))


def adaptive_span(weights, head, i, j, reach=4, ramp=3.0):
    """Sukhbaatar et al. 2019, section 2.2, with z as a part of the longest span."""
    span = weights["span"][head] * reach
    return min(max((ramp + span - abs(i - j)) / ramp, 0.0), 1.0)
