"""Hierarchical attention: Yang et al. 2016, section 2.2."""

import numpy as np

from tests.reference.poolings import context_pooling
from tests.reference.sets import part_of


def hierarchical_pooling(weights, inputs, visible):
    """Words (B, N, S, D) to sentences to documents; visible (B, N) or (B, N, S)."""
    batch, count, length, width = inputs.shape
    if visible.ndim == 2:
        visible = np.broadcast_to(visible[..., None], (batch, count, length))
    sentences, words = np.zeros((batch, count, width)), np.zeros(inputs.shape[:3])
    for n in range(count):
        found = context_pooling(part_of(weights, "words"), inputs[:, n], visible[:, n])
        sentences[:, n], words[:, n] = found
    output, shares = context_pooling(
        part_of(weights, "sentences"), sentences, visible.any(-1)
    )
    return output, shares[..., None] * words
