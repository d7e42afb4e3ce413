"""Attention by distance: Nadaraya 1964, Watson 1964."""

import math

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def gaussian(weights, query, key, value, visible, normalizer=softmax, sigma=1.0):
    """score_ij = -|q_i - k_j|^2 / (2 sigma^2); a learned sigma is exp(log_sigma)."""
    if "log_sigma" in weights:
        sigma = math.exp(float(weights["log_sigma"]))

    def score(b, i, j):
        apart = query[b, i] - key[b, j]
        return -(apart @ apart) / (2 * sigma**2)

    return read(score, value, visible, normalizer)
