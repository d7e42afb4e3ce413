"""Content addressing: Graves, Wayne & Danihelka 2014, equations 5 and 6."""

import math

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def cosine(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = beta q_i . k_j / (|q_i| |k_j|)."""
    beta = weights["sharpness"]

    def score(b, i, j):
        q, k = query[b, i], key[b, j]
        lengths = math.sqrt(q @ q) * math.sqrt(k @ k)
        return beta * (q @ k) / lengths

    return read(score, value, visible, normalizer)
