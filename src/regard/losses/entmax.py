"""The loss whose prediction is entmax, as cross-entropy's is softmax."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.normalizers import Entmax
from regard.core.scores import widen

_EXACT = {1.5: "entmax15", 2.0: "sparsemax"}


def entmax_loss(target, scores, alpha=1.5):
    r"""$L(s, y) = \Omega(p) - \Omega(e_y) + s^\top (p - e_y)$ where $p$ is the entmax
    of s; its gradient is $p - e_y$.

    $\Omega(p) = (1 - \sum_j p_j^\alpha) / (\alpha (\alpha - 1))$ is Tsallis' entropy.
    The loss is 0 as soon as the right score leads by $1/(\alpha - 1)$, and $\alpha = 1$
    is cross-entropy.

    Peters, Niculae, Martins 2019, arXiv:1905.05702.

    Args:
        target: integer classes (…,).
        scores: (…, C).
        alpha: at least 1.

    Returns:
        the loss of every example (…,).
    """
    scores = widen(scores)
    right = ops.one_hot(ops.cast(target, "int32"), scores.shape[-1], dtype=scores.dtype)
    if alpha == 1.0:
        return ops.logsumexp(scores, axis=-1) - ops.sum(scores * right, axis=-1)
    normalizer = normalizers.get(_EXACT.get(float(alpha)) or Entmax(alpha))
    # p maximizes the loss, so its own slope does not count (the envelope theorem).
    weights = ops.stop_gradient(normalizer(scores))
    inside = weights > 0
    safe = ops.where(inside, weights, ops.ones_like(weights))
    powers = ops.where(inside, ops.exp(alpha * ops.log(safe)), 0.0 * weights)
    entropy = (1.0 - ops.sum(powers, axis=-1)) / (alpha * (alpha - 1.0))
    return entropy + ops.sum(scores * (weights - right), axis=-1)


@keras.saving.register_keras_serializable("regard")
class EntmaxLoss(keras.losses.Loss):
    r"""``entmax_loss`` for ``compile``: integer targets, scores as predictions.

    Args:
        alpha: 1 is cross-entropy, 1.5 the default, 2 the loss of sparsemax.
        reduction, name: of every Keras loss.

    Raises:
        ValueError: where alpha is below 1.
    """

    mechanism = "entmax_loss"

    def __init__(self, alpha=1.5, reduction="sum_over_batch_size", name="entmax_loss"):
        super().__init__(name=name, reduction=reduction)
        if not alpha >= 1:
            raise ValueError(f"alpha must be at least 1. Got {alpha!r}.")
        self.alpha = float(alpha)

    def call(self, y_true, y_pred):
        target = ops.reshape(y_true, ops.shape(y_pred)[:-1])
        return entmax_loss(target, y_pred, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}
