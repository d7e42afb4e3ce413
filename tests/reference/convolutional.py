"""Attention of convolutional decoders: Gehring et al. 2017, section 3.3."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def convolutional(weights, query, key, value, visible, normalizer=softmax):
    """d_i = W h_i + b + g_i, score_ij = d_i . z_j, c_i = sum_j a_ij (z_j + e_j)."""
    kernel = weights["kernel"]
    bias = weights.get("bias", np.zeros(kernel.shape[1]))

    def score(b, i, j):
        state, embedding = query[b, i, : len(kernel)], query[b, i, len(kernel) :]
        return (state @ kernel + bias + embedding) @ key[b, j]

    return read(score, key + value, visible, normalizer)
