"""Position schemes inside multi-head attention, pair by pair.

A scheme is a function ``score(weights, head, q, k, i, j)`` of one projected query at
place i and one key at place j, already over the root of the width; keys stand at
0..S-1 and queries at the last T of them, as their papers have it.
"""

import math

import numpy as np

from tests.reference.normalizers import softmax


def with_positions(  # noqa: PLR0913 - a scheme, and what every reference is given
    weights, query, key, value, visible, score, heard=None, normalizer=softmax
):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) with another score.

    ``heard(weights, i, j)`` is added to the value at j that the query at i reads.
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
        maps[b, h, row, seen] = normalizer(np.array(scores))
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
