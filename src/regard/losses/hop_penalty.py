"""Rows of weights that should not all look at the same place."""

from keras import ops

from regard.core.scores import widen


def hop_penalty(weights):
    r"""$\lVert A A^\top - I \rVert_F^2$ of every example.

    0 where every row looks at one place of its own, r (r - 1) where r rows look at one
    and the same place. Lin et al. 2017, "A structured self-attentive sentence
    embedding", arXiv:1703.03130, section 2.2.

    Args:
        weights: (B, R, S).

    Returns:
        the penalty (B,).
    """
    weights = widen(weights)
    overlap = ops.matmul(weights, ops.swapaxes(weights, -1, -2))
    identity = ops.eye(weights.shape[-2], dtype=overlap.dtype)
    return ops.sum(ops.square(overlap - identity), axis=(-1, -2))
