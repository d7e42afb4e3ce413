"""Dot-product scores: Luong, Pham & Manning 2015, equation 8, line "dot"."""

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def dot(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = q_i . k_j."""

    def score(b, i, j):
        return query[b, i] @ key[b, j]

    return read(score, value, visible, normalizer)
