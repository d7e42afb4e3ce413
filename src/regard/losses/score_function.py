"""Gradients through choices that were drawn."""

from keras import ops


def score_function_loss(
    log_probability, reward, baseline=0.0, entropy=None, weight=0.0
):
    r"""$-(R - b) \ln p(z) - \lambda H$, whose gradient is that of $-E[R] - \lambda H$.

    The estimator of REINFORCE for attention that samples: ``reward`` and ``baseline``
    are taken as numbers, so the gradient reaches the log probabilities and the entropy
    alone. Xu et al. 2015, arXiv:1502.03044, section 4; their reward is the log
    likelihood of the words, whose own gradient is the ordinary loss beside this one.

    Args:
        log_probability: of what was drawn, (B,) or (B, T).
        reward: the larger, the better, of the same shape or one that broadcasts to it.
        baseline: what reward is usual; it lowers the variance, and changes no mean.
        entropy: H of the distribution drawn from, or None.
        weight: lambda.

    Returns:
        the loss, of the shape of ``log_probability``.
    """
    advantage = ops.stop_gradient(ops.subtract(reward, baseline))
    loss = ops.negative(ops.multiply(advantage, log_probability))
    if entropy is None:
        return loss
    return ops.subtract(loss, ops.multiply(weight, entropy))
