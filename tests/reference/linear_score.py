"""Linear scores of combined features: Seo et al. 2017, section 2, equation 1."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def trilinear(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = w . [q; k; q * k] + b, the features built pair by pair."""
    arrays = (query, key, value)
    return combined(weights, arrays, visible, lambda x, y: [x, y, x * y], normalizer)


def differing(weights, query, key, value, visible):
    """score_ij = tanh(w . [k - q; k / q; q * q])."""

    def join(x, y):
        return [y - x, y / x, x * x]

    arrays = (query, key, value)
    return combined(weights, arrays, visible, join, activation=np.tanh)


def combined(weights, arrays, visible, join, normalizer=softmax, activation=None):
    """score_ij = w . join(q_i, k_j) + b."""
    query, key, value = arrays
    bias = float(np.sum(weights.get("bias", 0.0)))

    def score(b, i, j):
        features = np.concatenate(join(query[b, i], key[b, j]))
        number = weights["kernel"] @ features + bias
        return number if activation is None else activation(number)

    return read(score, value, visible, normalizer)
