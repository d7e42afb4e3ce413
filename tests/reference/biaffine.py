"""Biaffine attention: Dozat & Manning 2017, section 2.2."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def biaffine(weights, query, key, value, visible, normalizer=softmax, activation=None):
    """score_ij = [q_i; 1]^T U [k_j; 1]."""

    def score(b, i, j):
        left, right = np.append(query[b, i], 1.0), np.append(key[b, j], 1.0)
        number = left @ weights["kernel"] @ right
        return number if activation is None else activation(number)

    return read(score, value, visible, normalizer)
