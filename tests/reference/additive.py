"""Additive attention: Bahdanau, Cho & Bengio 2015, section A.1.2."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def additive(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = v . tanh(W q_i + U k_j + b).

    With weight normalisation (Salimans & Kingma 2016, equation 2) the vector is
    g v / |v|, as in the reference decoder of the period.
    """
    vector = weights["score_vector"]
    if "score_gain" in weights:
        length = np.sqrt(sum(component**2 for component in vector))
        vector = weights["score_gain"] * vector / length
    bias = weights.get("bias", np.zeros(len(vector)))

    def score(b, i, j):
        from_query = query[b, i] @ weights["query_kernel"]
        from_key = key[b, j] @ weights["key_kernel"]
        return vector @ np.tanh(from_query + from_key + bias)

    return read(score, value, visible, normalizer)
