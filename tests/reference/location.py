"""Location scores: Luong, Pham & Manning 2015, equation 9.

The paper pads and cuts to 50 source words; here the row of the softmax holds the
visible positions only, so that a short sentence loses no mass to padding.
"""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def location(weights, query, key, value, visible, normalizer=softmax):
    """score_ij = (W q_i)_j, with an optional logit of its own for every place."""
    bias = weights.get("bias", np.zeros(weights["kernel"].shape[1]))

    def score(b, i, j):
        return query[b, i] @ weights["kernel"][:, j] + bias[j]

    return read(score, value, visible, normalizer)
