"""What training makes small."""

import keras
from keras import ops

from regard.models.words import PAD


@keras.saving.register_keras_serializable("regard")
class SmoothedCrossEntropy(keras.losses.Loss):
    r"""Cross-entropy of logits with label smoothing, averaged over real places.

    $-(1-\epsilon) \log p(y) - \frac{\epsilon}{V} \sum_v \log p(v)$ where
    $y \ne 0$; id 0 is padding and counts nothing. Szegedy et al. 2016,
    arXiv:1512.00567, section 7.

    Args:
        smoothing: $\epsilon$, in [0, 1).

    Raises:
        ValueError: where smoothing lies outside.
    """

    def __init__(self, smoothing=0.0, name="smoothed_cross_entropy", **kwargs):
        super().__init__(name=name, reduction="sum", **_without_reduction(kwargs))
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing must lie in [0, 1). Got {smoothing!r}.")
        self.smoothing = float(smoothing)

    def call(self, y_true, y_pred):
        """Ids (B, T) and logits (B, T, V) to one number."""
        ids = ops.cast(y_true, "int32")
        logits = ops.cast(y_pred, "float32")
        total = ops.logsumexp(logits, axis=-1)
        chosen = ops.take_along_axis(logits, ops.expand_dims(ids, -1), axis=-1)
        loss = total - (1 - self.smoothing) * ops.squeeze(chosen, -1)
        if self.smoothing:
            loss = loss - self.smoothing * ops.mean(logits, axis=-1)
        real = ops.cast(ops.not_equal(ids, PAD), loss.dtype)
        return ops.sum(loss * real) / ops.maximum(ops.sum(real), 1.0)

    def get_config(self):
        return {**super().get_config(), "smoothing": self.smoothing}


def _without_reduction(options):
    return {name: value for name, value in options.items() if name != "reduction"}
