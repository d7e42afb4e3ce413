"""Scaled dot-product attention: Vaswani et al. 2017, equation 1."""

import math

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def scaled_dot(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = c q_i . k_j, with c = 1 / sqrt(d) unless it is learned."""
    scale = weights.get("scale", 1 / math.sqrt(query.shape[-1]))

    def score(b, i, j):
        return scale * (query[b, i] @ key[b, j])

    return read(score, value, visible, normalizer)
