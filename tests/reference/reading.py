"""What the soft mechanisms share: normalise the visible scores, mix the values."""

import numpy as np

from tests.reference.normalizers import softmax


def read(score, value, visible, normalizer=softmax):
    """Context and weights of one head.

    `score(b, i, j)` is the compatibility of query i with key j in example b;
    `value` is (B, S, Dv) and `visible` (B, T, S). A query that may look at
    nothing reads zeros. A normalizer of whole matrices says that it is ``joint``.
    """
    if getattr(getattr(normalizer, "func", normalizer), "joint", False):
        return jointly(score, value, visible, normalizer)
    batch, queries, keys = visible.shape
    context = np.zeros((batch, queries, value.shape[-1]))
    weights = np.zeros((batch, queries, keys))
    for b in range(batch):
        for i in range(queries):
            seen = np.flatnonzero(visible[b, i])
            if len(seen) == 0:
                continue
            scores = np.array([score(b, i, j) for j in seen])
            weights[b, i, seen] = normalizer(scores)
            for j in seen:
                context[b, i] += weights[b, i, j] * value[b, j]
    return context, weights


def jointly(score, value, visible, normalizer):
    """The same where the rows of an example depend on each other."""
    weights = np.zeros(visible.shape)
    for b in range(len(visible)):
        scores = np.zeros(visible.shape[1:])
        for i, j in np.argwhere(visible[b]):
            scores[i, j] = score(b, i, j)
        weights[b] = normalizer(scores, visible[b])
    return weights @ value, weights
