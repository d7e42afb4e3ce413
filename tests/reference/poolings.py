"""Poolings: each gives every element a number; the rest is shared."""

import numpy as np

from tests.reference.normalizers import softmax


def sigma(x):
    return 1 / (1 + np.exp(-x))


def pooled(scores, inputs, visible, normalizer=softmax):
    """Contexts and weights of several rows; `scores(b, t)` gives a number per row.

    `visible` is (B, R, S).
    """
    batch, rows, length = visible.shape
    context = np.zeros((batch, rows, inputs.shape[-1]))
    weights = np.zeros((batch, rows, length))
    for b in range(batch):
        judged = np.array([scores(b, t) for t in range(length)])  # (S, R)
        for r in range(rows):
            seen = np.flatnonzero(visible[b, r])
            if len(seen):
                weights[b, r, seen] = normalizer(judged[seen, r])
            for t in seen:
                context[b, r] += weights[b, r, t] * inputs[b, t]
    return context, weights


def single(scores, inputs, visible, normalizer=softmax):
    """The same with one row and no axis for it."""
    found = pooled(scores, inputs, visible[:, None], normalizer)
    return found[0][:, 0], found[1][:, 0]


def context_pooling(weights, inputs, visible):
    """Yang et al. 2016, equations 5 to 7: u_t = tanh(W h_t + b), e_t = u . u_t."""

    def scores(b, t):
        hidden = np.tanh(inputs[b, t] @ weights["kernel"] + weights.get("bias", 0.0))
        return [hidden @ weights["score_vector"]]

    return single(scores, inputs, visible)


def gated_pooling(weights, inputs, visible):
    """Ilse et al. 2018, equation 9 (8 without a gate)."""

    def scores(b, t):
        x = inputs[b, t]
        hidden = np.tanh(x @ weights["kernel"] + weights.get("bias", 0.0))
        if "gate_kernel" in weights:
            gate = x @ weights["gate_kernel"] + weights.get("gate_bias", 0.0)
            hidden = hidden * sigma(gate)
        return [hidden @ weights["score_vector"]]

    return single(scores, inputs, visible)


def structured_pooling(weights, inputs, visible):
    """Lin et al. 2017, equations 6 and 7: A = softmax(W_2 tanh(W_1 H^T)), M = A H."""

    def scores(b, t):
        hidden = np.tanh(inputs[b, t] @ weights["kernel"] + weights.get("bias", 0.0))
        return hidden @ weights["hop_kernel"] + weights.get("hop_bias", 0.0)

    return pooled(scores, inputs, visible)


def last_state(weights, inputs, visible):
    """e_t = h_T W h_t with the last real h_T; o = tanh(W_c [c; h_T])."""
    last = np.zeros((len(inputs), inputs.shape[-1]))
    for b, seen in enumerate(visible):
        if seen.any():
            last[b] = inputs[b, np.flatnonzero(seen)[-1]]

    def scores(b, t):
        return [last[b] @ weights["kernel"] @ inputs[b, t]]

    context, attention = single(scores, inputs, visible)
    together = np.concatenate([context, last], axis=-1)
    return np.tanh(together @ weights["output_kernel"]), attention


def statistics_pooling(weights, inputs, visible, activation=np.tanh, context=False):
    """[mean; spread] by weights V f(W h_t + b) + k, one row or a row per feature.

    Okabe et al. 2018, section 3; with the context, Desplanques et al. 2020, 2.3.
    """
    by_channel = visible.ndim == 3
    seen = visible[:, 0] if by_channel else visible
    batch, _, width = inputs.shape
    plain = np.zeros((batch, 2 * width))
    for b in range(batch):
        if context and seen[b].any():
            real = inputs[b, seen[b]]
            spread = np.sqrt(np.maximum(((real - real.mean(0)) ** 2).mean(0), 1e-12))
            plain[b] = np.concatenate([real.mean(0), spread])

    def scores(b, t):
        x = np.concatenate([inputs[b, t], plain[b]]) if context else inputs[b, t]
        hidden = activation(x @ weights["kernel"] + weights["bias"])
        return hidden @ weights["score_kernel"] + weights["score_bias"]

    rows = visible if by_channel else visible[:, None]
    attention = pooled(scores, inputs, rows)[1]
    output = np.zeros((batch, 2 * width))
    for b in range(batch):
        if not seen[b].any():
            continue
        for d in range(width):
            a, x = attention[b, d if by_channel else 0], inputs[b, :, d]
            mean = np.sum(a[seen[b]] * x[seen[b]])
            variance = np.sum(a[seen[b]] * (x[seen[b]] - mean) ** 2)
            output[b, d] = mean
            output[b, width + d] = np.sqrt(max(variance, 1e-12))
    return output, attention if by_channel else attention[:, 0]
