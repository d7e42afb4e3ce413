"""Feed-forward attention: Raffel & Ellis 2015, equation 1 with a = tanh(w h + b)."""

import numpy as np

from tests.reference.normalizers import softmax


def pooling(weights, inputs, visible, normalizer=softmax, activation=np.tanh):
    """e_t = tanh(w . h_t + b), a = softmax(e), c = sum_t a_t h_t; visible (B, S)."""
    activation = activation or (lambda number: number)
    batch, _, width = inputs.shape
    context, attention = np.zeros((batch, width)), np.zeros(inputs.shape[:2])
    bias = float(np.sum(weights.get("bias", 0.0)))
    vector = weights["kernel"].reshape(-1)
    for b in range(batch):
        seen = np.flatnonzero(visible[b])
        if len(seen) == 0:
            continue
        scores = np.array([activation(inputs[b, t] @ vector + bias) for t in seen])
        attention[b, seen] = normalizer(scores)
        for t in seen:
            context[b] += attention[b, t] * inputs[b, t]
    return context, attention
