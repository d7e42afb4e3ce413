"""``AttentionWithContext`` of cbaziotis/keras-utilities."""

import keras
from keras import ops

from regard.compat.exponential import Exponential
from regard.compat.pooler import Pooler
from regard.compat.reader import register
from regard.core import normalizers, scores

__all__ = ["AttentionWithContext"]


@register("kaggle")
class AttentionWithContext(Pooler):
    r"""$c = \sum_t a_t x_t,\ a = \mathrm{softmax}(u_t^\top u)$ over $t$,
    $u_t = \tanh(W x_t + b)$.

    ``W`` (D, D), of which row $i$ makes feature $i$ of $u_t$ (in the original a kernel
    that enters transposed), ``b`` (D,), the context vector ``u`` (D,), in the
    original's order. Input (B, T, D), output (B, D). A sequence that is all padding
    gives 0.

    Yang et al. 2016, "Hierarchical attention networks for document classification",
    section 2.2, equations 5-7.

    Args:
        W_regularizer, u_regularizer, b_regularizer: of the weights.
        W_constraint, u_constraint, b_constraint: of the weights.
        bias: add ``b``.
        return_attention: also return the weights (B, T, 1).
        faithful: as in the original, exponentials without a shift over their sum plus
            ``keras.config.epsilon()``: scores above 88 overflow, and where all scores
            are low the weights sum to less than 1 or vanish; a NaN in a hidden step
            comes through. By default a softmax, the same up to 1e-6 elsewhere.
        **options: of every layer.

    Raises:
        ValueError: where an option is unknown.
    """

    mechanism = "attention_with_context"

    def __init__(  # noqa: PLR0913 - the original's arguments
        self,
        W_regularizer=None,
        u_regularizer=None,
        b_regularizer=None,
        W_constraint=None,
        u_constraint=None,
        b_constraint=None,
        bias=True,
        return_attention=False,
        faithful=False,
        **options,
    ):
        super().__init__(
            return_attention,
            faithful,
            W_regularizer=W_regularizer,
            u_regularizer=u_regularizer,
            b_regularizer=b_regularizer,
            W_constraint=W_constraint,
            u_constraint=u_constraint,
            b_constraint=b_constraint,
            **options,
        )
        self.bias = bool(bias)

    def build(self, input_shape):
        width = input_shape[-1]
        self.add("W", (width, width))
        if self.bias:
            self.add("b", (width,), "zeros")
        self.add("u", (width,))
        self.built = True

    def call(self, inputs, mask=None):
        keep, inputs = self.visible(inputs, mask)
        hidden = ops.matmul(inputs, ops.transpose(ops.convert_to_tensor(self.W)))
        hidden = ops.tanh(hidden + self.b if self.bias else hidden)
        context = ops.convert_to_tensor(self.u)[None, None, None]
        logits = scores.dot(context, hidden[:, None])[:, 0, 0]  # (B, T), float32
        exponential = Exponential(keras.config.epsilon())
        normalizer = exponential if self.faithful else normalizers.Softmax()
        pooled, weights = self.pool(inputs, logits, normalizer, keep)
        return (pooled, weights[..., None]) if self.return_attention else pooled

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], input_shape[-1])
        if not self.return_attention:
            return shape
        return shape, (*input_shape[:2], 1)

    def get_config(self):
        return {**super().get_config(), "bias": self.bias}
