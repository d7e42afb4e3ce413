"""Concat scores: Luong, Pham & Manning 2015, equation 8, line "concat"."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def concat(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = v . tanh(W [q_i ; k_j])."""

    def score(b, i, j):
        both = np.concatenate([query[b, i], key[b, j]])
        return weights["score_vector"] @ np.tanh(both @ weights["kernel"])

    return read(score, value, visible, normalizer)
