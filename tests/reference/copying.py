"""Pointing and copying: Vinyals 2015, Gu 2016, Merity 2016, See 2017."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def pointer(weights, query, value, visible, targets=None):
    """The weights of additive attention are the answer: Vinyals et al. 2015, eq. 3.

    With targets, an item taken at a step is hidden from the steps after it.
    """
    visible = visible.copy()
    if targets is not None:
        for b, i in np.ndindex(targets.shape):
            visible[b, i + 1 :] &= np.arange(visible.shape[2]) != targets[b, i]

    def score(b, i, j):
        together = query[b, i] @ weights["query_kernel"]
        together = together + value[b, j] @ weights["key_kernel"]
        return weights["score_vector"] @ np.tanh(together)

    found = read(score, value, visible)[1]
    return found, found


def spread(weights, ids, size):
    """Each word gets the weights of all its places."""
    words = np.zeros((*weights.shape[:2], size))
    for b, i, j in np.ndindex(weights.shape):
        words[b, i, int(ids[b, j])] += weights[b, i, j]
    return words


def vocabulary(weights, query, b, i):
    return query[b, i] @ weights["output_kernel"] + weights.get("output_bias", 0.0)


def joint(query, value, ids, visible, extra, scores):
    """One softmax over all ways to write and all places to copy."""
    size = len(scores(0, 0)[0]) + extra
    words = np.zeros((*visible.shape[:2], size))
    copies = np.zeros(visible.shape)
    for b, i in np.ndindex(visible.shape[:2]):
        writing, places = scores(b, i)
        seen = np.flatnonzero(visible[b, i])
        row = softmax(np.concatenate([writing, places[seen]]))
        words[b, i, : len(writing)] = row[: len(writing)]
        copies[b, i, seen] = row[len(writing) :]
    return words, copies


def copy_net(weights, query, value, ids, visible, extra):
    """Gu et al. 2016, equations 4 to 8: psi_c(j) = tanh(h_j W_c) s_i."""

    def scores(b, i):
        places = np.tanh(value[b] @ weights["copy_kernel"]) @ query[b, i]
        return vocabulary(weights, query, b, i), places

    words, copies = joint(query, value, ids, visible, extra, scores)
    return words + spread(copies, ids, words.shape[-1]), copies


def pointer_sentinel(weights, query, value, ids, visible, extra):
    """Merity et al. 2016, section 2: the sentinel's weight goes to the vocabulary."""

    def scores(b, i):
        asking = query[b, i] @ weights["query_kernel"] + weights.get("query_bias", 0.0)
        asking = np.tanh(asking)
        return np.array([weights["sentinel"] @ asking]), value[b] @ asking

    gates, copies = joint(query, value, ids, visible, 0, scores)
    size = weights["output_kernel"].shape[1] + extra
    words = spread(copies, ids, size)
    for b, i in np.ndindex(visible.shape[:2]):
        written = softmax(vocabulary(weights, query, b, i))
        words[b, i, : len(written)] += gates[b, i, 0] * written
    return words, copies


def pointer_generator(weights, query, attention_weights, ids, visible, extra):
    """See, Liu & Manning 2017, equations 8 and 9."""
    attention = attention_weights
    size = weights["output_kernel"].shape[1]
    words = np.zeros((*attention.shape[:2], size + extra))
    for b, i in np.ndindex(attention.shape[:2]):
        reach = query[b, i] @ weights["gate_kernel"][:, 0] + weights["gate_bias"][0]
        gate = 1 / (1 + np.exp(-reach))
        words[b, i, :size] = gate * softmax(vocabulary(weights, query, b, i))
        for j, word in enumerate(ids[b]):
            words[b, i, int(word)] += (1 - gate) * attention[b, i, j]
    return words, attention
