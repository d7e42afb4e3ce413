"""From one row of scores (those of the visible keys only) to one row of weights."""

import numpy as np


def softmax(scores):
    """exp(s_j) / sum_k exp(s_k)."""
    powers = np.exp(scores - np.max(scores))
    return powers / np.sum(powers)


def sparsemax(scores):
    """The nearest point of the simplex: Martins & Astudillo 2016, Algorithm 1."""
    descending = np.sort(scores)[::-1]
    support, total = 1, descending[0]
    for count in range(1, len(descending) + 1):
        partial = np.sum(descending[:count])
        if 1 + count * descending[count - 1] > partial:
            support, total = count, partial
    threshold = (total - 1) / support
    return np.maximum(scores - threshold, 0.0)


def entmax15(scores):
    """max(s/2 - tau, 0)^2 with tau such that the row sums to 1.

    Peters, Niculae & Martins 2019, equation 10 at alpha = 1.5; tau is found by
    bisection, which shares nothing with the sorting solution of its section 3.
    """
    halves = scores / 2
    low, high = np.max(halves) - 1.0, np.max(halves)
    for _ in range(80):
        threshold = (low + high) / 2
        if np.sum(np.maximum(halves - threshold, 0.0) ** 2) >= 1.0:
            low = threshold
        else:
            high = threshold
    return np.maximum(halves - (low + high) / 2, 0.0) ** 2


NORMALIZERS = {"softmax": softmax, "sparsemax": sparsemax, "entmax15": entmax15}
