"""Bilinear scores: Luong, Pham & Manning 2015, equation 8, line "general"."""

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def general(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = q_i^T W k_j."""

    def score(b, i, j):
        return query[b, i] @ weights["kernel"] @ key[b, j]

    return read(score, value, visible, normalizer)
