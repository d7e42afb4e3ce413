"""Two inputs that look at each other."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read
from tests.reference.sets import part_of


def attention_flow(weights, query, value, visible):
    """Seo et al. 2017: trilinear scores, both directions, [h; u; h * u; h * h']."""

    def score(b, i, j):
        h, u = query[b, i], value[b, j]
        return weights["kernel"] @ np.concatenate([h, u, h * u])

    found, attention = read(score, value, visible)
    whole = np.zeros((len(query), query.shape[-1]))
    for b in range(len(query)):
        best = np.zeros(query.shape[1])
        for i in range(query.shape[1]):
            seen = np.flatnonzero(visible[b, i])
            if len(seen):
                best[i] = max(score(b, i, j) for j in seen)
        whole[b] = softmax(best) @ query[b]
    parts = [query, found, query * found, query * whole[:, None]]
    return np.concatenate(parts, axis=-1), attention


def coattention(weights, query, value, visible):
    """Lu et al. 2016, section 3.3, parallel: equations of C, H, a."""
    real = visible.any(1)  # (B, S)
    batch = len(query)
    value = np.where(real[..., None], value, 0.0)
    output, attention = [], np.zeros((batch, value.shape[1]))
    for b in range(batch):
        q, v = query[b], value[b]
        affinity = np.tanh(q @ weights["kernel"] @ v.T)
        words, regions = q @ weights["query_kernel"], v @ weights["value_kernel"]
        about_words = np.tanh(words + affinity @ regions)
        about_regions = np.tanh(regions + affinity.T @ words)
        by_word = softmax(about_words @ weights["query_score_vector"])
        seen = np.flatnonzero(real[b])
        if len(seen):
            judged = about_regions @ weights["value_score_vector"]
            attention[b, seen] = softmax(judged[seen])
        output.append(np.concatenate([by_word @ q, attention[b] @ v]))
    return np.stack(output), attention


def dynamic_coattention(weights, query, value, visible):
    """Xiong et al. 2017, section 2.2, up to the recurrent layer."""
    own = part_of(weights, "question")
    outputs, attention = [], np.zeros(visible.shape)
    for b in range(len(query)):
        real = visible[b].any(0)
        question = np.tanh(value[b, real] @ own["kernel"] + own["bias"])
        document = np.vstack([query[b], weights["query_sentinel"]])
        question = np.vstack([question, weights["value_sentinel"]])
        affinity = document @ question.T
        by_question = np.stack([softmax(column) for column in affinity.T])
        found = by_question @ document
        by_document = np.stack([softmax(row) for row in affinity[:-1]])
        read_ = by_document @ np.concatenate([question, found], axis=-1)
        outputs.append(np.concatenate([query[b], read_], axis=-1))
        attention[b][:, real] = by_document[:, :-1]
    return np.stack(outputs), attention


def decomposable(weights, query, value, visible):
    """Parikh et al. 2016, equations 1 to 4, with one layer in F and in G."""

    def layer(name, inputs):
        own = part_of(weights, name)
        return np.maximum(inputs @ own["kernel"] + own["bias"], 0.0)

    left, right = layer("attend", query), layer("attend", value)
    found, attention = read(lambda b, i, j: left[b, i] @ right[b, j], value, visible)
    turned = np.swapaxes(visible, 1, 2)
    back, _ = read(lambda b, j, i: left[b, i] @ right[b, j], query, turned)
    first = layer("compare", np.concatenate([query, found], axis=-1)).sum(1)
    second = layer("compare", np.concatenate([value, back], axis=-1))
    second = np.where(visible.any(1)[..., None], second, 0.0).sum(1)
    return np.concatenate([first, second], axis=-1), attention
