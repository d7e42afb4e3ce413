"""``Attention(step_dim)``, as many kernels copied it."""

import keras
from keras import ops

from regard.compat.exponential import Exponential
from regard.compat.pooler import Pooler
from regard.compat.reader import register
from regard.core.scores import widen
from regard.layers.weights import check_units

__all__ = ["Attention"]


@register("kaggle")
class Attention(Pooler):
    r"""$e_t = \tanh(x_t^\top W + b_t),\ a_t = m_t e^{e_t} / (\epsilon + \sum_k m_k
    e^{e_k}),\ c = \sum_t a_t x_t$.

    ``W`` (D,), and *one bias per time step*: ``b`` (step_dim,). Input (B, T, D), output
    (B, D). $m$ is the mask, $\epsilon$ is ``keras.config.epsilon()`` (1e-7), so weights
    sum to slightly less than 1 and a sequence that is all padding gives 0. As tanh
    keeps scores in [-1, 1], no step gets more than 7.4 times the weight of another.
    ``AttentionPooling`` has one bias for all times instead, and takes any length.

    After Raffel and Ellis 2015, arXiv:1512.08756, section 1.1.

    Args:
        step_dim: the longest sequence, T.
        W_regularizer, b_regularizer, W_constraint, b_constraint: of W and b.
        bias: add ``b``.
        return_attention: also return the weights (B, T), as its parent in
            cbaziotis/keras-utilities can.
        faithful: as in the original, take only sequences of exactly step_dim steps,
            and let a NaN in a hidden step through. By default shorter ones use the
            first biases, and hidden steps are not read.
        **options: of every layer.

    Raises:
        ValueError: where step_dim is not a positive integer, or the sequence is longer.
    """

    mechanism = "kaggle_attention"

    def __init__(  # noqa: PLR0913 - the original's arguments
        self,
        step_dim,
        W_regularizer=None,
        b_regularizer=None,
        W_constraint=None,
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
            b_regularizer=b_regularizer,
            W_constraint=W_constraint,
            b_constraint=b_constraint,
            **options,
        )
        self.step_dim = check_units("step_dim", step_dim)
        self.bias = bool(bias)

    def build(self, input_shape):
        self.add("W", (input_shape[-1],))
        if self.bias:
            self.add("b", (self.step_dim,), "zeros")
        self.built = True

    def call(self, inputs, mask=None):
        self._check_length(inputs.shape[1])
        keep, inputs = self.visible(inputs, mask)
        kernel = ops.convert_to_tensor(self.W)[:, None]
        logits = widen(ops.squeeze(ops.matmul(inputs, kernel), -1))
        if self.bias:
            bias = widen(ops.convert_to_tensor(self.b))
            logits = logits + bias[: ops.shape(inputs)[1]]
        normalizer = Exponential(keras.config.epsilon())
        pooled = self.pool(inputs, ops.tanh(logits), normalizer, keep)
        return pooled if self.return_attention else pooled[0]

    def _check_length(self, length):
        if length is None or length == self.step_dim:
            return
        if length > self.step_dim or self.faithful:
            wanted = "exactly" if self.faithful else "at most"
            raise ValueError(
                f"inputs must have {wanted} step_dim = {self.step_dim} steps. Got "
                f"{length}. Build the layer with step_dim={length}."
            )

    def get_config(self):
        return {**super().get_config(), "step_dim": self.step_dim, "bias": self.bias}
