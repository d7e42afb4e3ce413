"""Attention over one of two axes: one call of multi-head attention for each other."""

import numpy as np

from tests.reference.multi_head import multi_head


def over_first_axis(weights, query, key, value, visible):
    """(B, T, O, D): every o of O is a batch of its own, the same keys are seen."""
    outputs, maps = zip(
        *(
            multi_head(weights, query[:, :, o], key[:, :, o], value[:, :, o], visible)
            for o in range(query.shape[2])
        ),
        strict=True,
    )
    return np.stack(outputs, axis=2), np.stack(maps, axis=1)
