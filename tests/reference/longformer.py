"""Longformer: Beltagy, Peters & Cohan 2020, sections 3.1 and 3.2."""

import math

import numpy as np

from tests.reference.normalizers import softmax


def longformer(weights, inputs, visible, window=1, global_positions=(0,)):
    """Tokens see a window and the global ones, global tokens see all of them.

    Global rows use their own projections of queries, keys and values.
    """
    heads = weights["query/kernel"].shape[1]
    length = inputs.shape[1]
    output = np.zeros((*inputs.shape[:2], weights["attention_output/kernel"].shape[-1]))
    output += weights["attention_output/bias"]
    maps = np.zeros((len(inputs), heads, length, length))
    for b, h, i in np.ndindex(len(inputs), heads, length):
        whole = i in global_positions
        ending = "_global" if whole else ""

        def project(part, j, b=b, h=h, ending=ending):
            kernel = weights[f"{part}{ending}/kernel"][:, h]
            return inputs[b, j] @ kernel + weights[f"{part}{ending}/bias"][h]

        seen = [
            j
            for j in np.flatnonzero(visible[b])
            if whole or abs(i - j) <= window or j in global_positions
        ]
        if not visible[b, i] or not seen:
            continue
        query = project("query", i)
        scores = [query @ project("key", j) / math.sqrt(len(query)) for j in seen]
        maps[b, h, i, seen] = softmax(np.array(scores))
        read = sum(maps[b, h, i, j] * project("value", j) for j in seen)
        output[b, i] += read @ weights["attention_output/kernel"][h]
    return output, maps
