"""Alignments that should run along the diagonal."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.losses.alignment_masks import count, real_pairs


def guided_attention_loss(weights, query_mask=None, value_mask=None, width=0.2):
    r"""$\frac{1}{TS} \sum_{ij} a_{ij} \big(1 - e^{-(i/T - j/S)^2 / 2g^2}\big)$.

    Over the real pairs of every example, T and S being its real lengths: 0 on the
    diagonal, and hardly anything near it. Tachibana, Uenoyama, Aihara 2018,
    arXiv:1710.08969. Leave it out once the alignment has formed.

    Args:
        weights: (B, T, S) or (B, H, T, S).
        query_mask: (B, T), True = real.
        value_mask: (B, S), True = real.
        width: g, how far from the diagonal is still free.

    Returns:
        the loss (B,).
    """
    if not width > 0:
        raise ValueError(f"width must be a positive number. Got {width!r}.")
    weights = widen(ops.convert_to_tensor(weights))
    queries = count(query_mask, weights, -2)
    keys = count(value_mask, weights, -1)
    rows = ops.arange(ops.shape(weights)[-2], dtype=weights.dtype)[None, :, None]
    columns = ops.arange(ops.shape(weights)[-1], dtype=weights.dtype)[None, None, :]
    distance = rows / queries - columns / keys
    penalty = 1.0 - ops.exp(-ops.square(distance) / (2.0 * width**2))
    heads = len(weights.shape) == 4
    penalty = penalty[:, None] if heads else penalty
    penalty = penalty * real_pairs(weights, query_mask, value_mask)
    total = ops.sum(weights * penalty, axis=(-1, -2))
    total = ops.mean(total, axis=1) if heads else total
    return total / ops.reshape(queries * keys, (-1,))


@keras.saving.register_keras_serializable("regard")
class GuidedAttentionLoss(keras.losses.Loss):
    r"""$a_{ij} \big(1 - e^{-(i/T - j/S)^2 / 2g^2}\big)$ for weights of a model.

    The targets are 1 at real pairs of query and key (B, T, S); see
    ``guided_attention_loss``.

    Args:
        width: g, how far from the diagonal is still free.

    Raises:
        ValueError: where width is not positive.
    """

    mechanism = "guided_attention_loss"

    def __init__(self, width=0.2, name="guided_attention_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        if not width > 0:
            raise ValueError(f"width must be a positive number. Got {width!r}.")
        self.width = float(width)

    def call(self, y_true, y_pred):
        real = ops.cast(y_true, "bool")
        masks = ops.any(real, axis=-1), ops.any(real, axis=-2)
        return guided_attention_loss(y_pred, *masks, self.width)

    def get_config(self):
        return {**super().get_config(), "width": self.width}
