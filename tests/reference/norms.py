"""Norms of queries and keys: Zhang, Sennrich 2019, section 3; Henry et al. 2020, 2."""

import numpy as np


def plain(weights, query, key, head, key_head):
    """No norm."""
    return query, key, 1 / np.sqrt(query.shape[-1])


def scaled(scale):
    """No norm, and another scale."""
    return lambda weights, query, key, head, key_head: (query, key, scale)


def rms(weights, query, key, head, key_head, epsilon=1e-6):
    """Root mean squares become one, times a gain by feature, or by head and feature."""

    def normed(vectors, gain, head):
        mean = np.mean(vectors**2, axis=-1, keepdims=True)
        gain = gain[head] if np.ndim(gain) == 2 else gain
        return vectors / np.sqrt(mean + epsilon) * gain

    query = normed(query, weights.get("query_gain", 1.0), head)
    key = normed(key, weights.get("key_gain", 1.0), key_head)
    return query, key, 1 / np.sqrt(query.shape[-1])


def unit(weights, query, key, head, key_head):
    """Lengths become one; products are multiplied by the head's sharpness."""
    query = query / np.linalg.norm(query, axis=-1, keepdims=True)
    key = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return query, key, weights["sharpness"][head]
