"""The gate of the Keras tutorials: "Dense softmax, multiply" (folklore, no paper)."""

import numpy as np

from tests.reference.normalizers import softmax


def feature_gate(weights, inputs, visible):
    """y_t = x_t * softmax(x_t W + b): features against features, no query, no sum.

    Hidden positions (visible (B, S) is False there) hold zeros.
    """
    inputs = np.where(visible[..., None], inputs, 0.0)
    output, gates = np.zeros_like(inputs), np.zeros_like(inputs)
    for b in range(inputs.shape[0]):
        for t in range(inputs.shape[1]):
            row = inputs[b, t] @ weights["kernel"] + weights.get("bias", 0.0)
            gates[b, t] = softmax(row)
            output[b, t] = inputs[b, t] * gates[b, t]
    return output, gates
