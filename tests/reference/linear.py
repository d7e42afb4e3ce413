"""Linear attention, as the table of pairs it avoids: Katharopoulos et al. 2020."""

import numpy as np

from tests.reference.normalizers import proportional


def elu(vectors, weights):
    return np.where(vectors > 0, vectors + 1, np.exp(np.minimum(vectors, 0)))


def relu(vectors, weights):
    return np.maximum(vectors, 0)


def taylor(vectors, weights):
    """Features of 1 + s + s^2/2: Arora et al. 2024."""
    vectors = vectors / vectors.shape[-1] ** 0.25
    ones = np.ones((*vectors.shape[:-1], 1))
    squares = vectors[..., :, None] * vectors[..., None, :] / np.sqrt(2)
    squares = squares.reshape(*vectors.shape[:-1], -1)
    return np.concatenate([ones, vectors, squares], axis=-1)


def published_query(vectors, weights, axis=-1, epsilon=1e-4):
    """With the largest projection taken off, and epsilon added, as the authors do."""
    vectors = vectors / vectors.shape[-1] ** 0.25
    logits = vectors @ weights["projection"].T
    squares = np.sum(vectors**2, axis=-1, keepdims=True)
    top = np.max(logits, axis=axis, keepdims=True)
    powers = np.exp(logits - squares / 2 - top) + epsilon
    return powers / np.sqrt(logits.shape[-1])


def published_key(vectors, weights):
    return published_query(vectors, weights, axis=(0, 1))


def random(vectors, weights):
    """Choromanski et al. 2020, equation 5, up to a factor per row and one per head."""
    vectors = vectors / vectors.shape[-1] ** 0.25
    squares = np.sum(vectors**2, axis=-1, keepdims=True)
    return np.exp(vectors @ weights["projection"].T - squares / 2)


def linear(  # noqa: PLR0913 - the mechanism's parts
    weights, query, key, value, visible, feature=elu, length=None, of_keys=None
):
    """Rows of phi(q) phi(k)^T over their sums, in every head."""
    heads = weights["query/kernel"].shape[1]
    output_kernel = weights["attention_output/kernel"]
    output = np.zeros((*query.shape[:2], output_kernel.shape[-1]))
    output += weights.get("attention_output/bias", 0.0)
    maps = np.zeros((len(query), heads, query.shape[1], key.shape[1]))
    for b, h in np.ndindex(len(query), heads):
        q, k, v = (
            array[b] @ weights[f"{name}/kernel"][:, h]
            + weights.get(f"{name}/bias", np.zeros((heads, 1)))[h]
            for name, array in (("query", query), ("key", key), ("value", value))
        )
        scores = feature(q, weights) @ (of_keys or feature)(k, weights).T
        if length is not None:
            starts = np.arange(len(k)) - np.arange(len(q))[:, None]
            starts = starts - (len(k) - len(q))
            scores = scores * np.cos(np.pi / 2 * starts / length)
        seen = visible[b] if visible.ndim == 3 else visible[b, h]
        for i, row in enumerate(scores):
            maps[b, h, i, seen[i]] = proportional(row[seen[i]])
        output[b] += maps[b, h] @ v @ output_kernel[h]
    return output, maps


def efficient(weights, query, key, value, visible):
    """Shen et al. 2021: softmax over features of q, over the real positions of k."""
    heads = weights["query/kernel"].shape[1]
    output = np.zeros((*query.shape[:2], weights["attention_output/kernel"].shape[-1]))
    maps = np.zeros((len(query), heads, query.shape[1], key.shape[1]))
    for b, h in np.ndindex(len(query), heads):
        q = np.exp(query[b] @ weights["query/kernel"][:, h])
        k = np.exp(key[b] @ weights["key/kernel"][:, h]) * visible[b].any(0)[:, None]
        shares = q / q.sum(-1, keepdims=True) @ (k / k.sum(0)).T
        maps[b, h] = np.apply_along_axis(proportional, 1, shares)
        v = value[b] @ weights["value/kernel"][:, h]
        output[b] += maps[b, h] @ v @ weights["attention_output/kernel"][h]
    return output, maps
