"""``SeqWeightedAttention``: a sequence becomes one vector."""

import keras
from keras import ops

from regard.compat.exponential import Exponential
from regard.compat.keras_self_attention.penalties import penalty
from regard.compat.pooler import Pooler
from regard.compat.reader import register
from regard.core import normalizers
from regard.core.scores import widen

__all__ = ["SeqWeightedAttention"]


@register("keras_self_attention")
class SeqWeightedAttention(Pooler):
    r"""$a = \mathrm{softmax}_t(x_t^\top W + b),\ c = \sum_t a_t x_t$.

    ``W`` (D, 1), ``b`` (1,), which softmax cancels. Input (B, T, D), output (B, D) and,
    with ``return_attention``, the weights (B, T).

    Felbo et al. 2017, "DeepMoji", arXiv:1708.00524, section 3.2.

    Args:
        use_bias: add ``b``.
        return_attention: also return the weights.
        faithful: as in the original, add ``keras.config.epsilon()`` to the sum and hide
            by subtracting 1e4, so that a sequence that is all padding gives its softmax
            as if nothing were hidden. By default weights sum to 1 and that sequence
            gives 0.
        **options: of every layer.

    Raises:
        ValueError: where an option is unknown.
    """

    mechanism = "seq_weighted"

    def __init__(
        self, use_bias=True, return_attention=False, faithful=False, **options
    ):
        super().__init__(return_attention, faithful, **options)
        self.use_bias = bool(use_bias)

    def build(self, input_shape):
        self.add("W", (input_shape[-1], 1), "uniform")
        if self.use_bias:
            self.add("b", (1,), "zeros")
        self.built = True

    def call(self, inputs, mask=None):
        keep, inputs = self.visible(inputs, mask)
        logits = ops.matmul(inputs, self.W)
        if self.use_bias:
            logits = logits + self.b
        logits = widen(ops.squeeze(logits, -1))
        if self.faithful:
            divided = Exponential(keras.config.epsilon(), shift=True)
            bias = None if keep is None else penalty(keep)[:, None, None]
            pooled = self.pool(inputs, logits, divided, None, bias)
        else:
            pooled = self.pool(inputs, logits, normalizers.Softmax(), keep)
        return pooled if self.return_attention else pooled[0]

    def get_config(self):
        return {**super().get_config(), "use_bias": self.use_bias}

    @staticmethod
    def get_custom_objects():
        """For ``load_model(path, custom_objects=...)`` of old code."""
        return {"SeqWeightedAttention": SeqWeightedAttention}
