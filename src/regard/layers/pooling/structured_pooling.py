"""Structured self-attention: several views of one sentence."""

import keras
from keras import ops

from regard.core.products import squashed
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions, check_units
from regard.losses.hop_penalty import hop_penalty


@keras.saving.register_keras_serializable("regard")
class StructuredPooling(Pooling):
    r"""$A = \mathrm{normalizer}(W_2 \tanh(W_1 H^\top)),\quad M = A H$.

    ``W_1`` (D, units), ``W_2`` (units, hops), in the form in which inputs are
    multiplied from the left; with ``use_bias`` both layers have one. Weights are shared
    out over time, apart for each of the ``hops`` rows. Input (B, S, D), output
    (B, hops, D), weights (B, hops, S).

    With ``penalty`` the layer adds ``penalty`` times the mean of
    $\lVert A A^\top - I \rVert_F^2$ to the loss, so that rows look at different places
    (``regard.losses.hop_penalty``).

    Lin et al. 2017, "A structured self-attentive sentence embedding",
    arXiv:1703.03130, section 2.1, equations 6 and 7, and 2.2.

    Args:
        units: width of the hidden layer, d_a in the paper.
        hops: rows, r in the paper.
        penalty: weight of the penalty; 0 adds none.
        use_bias: of both layers; the paper has none.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W_1 and W_2.
        **options: normalizer, dropout, seed, and those of every layer.

    Raises:
        ValueError: where a size is not a positive integer or penalty is negative.
    """

    mechanism = "structured_pooling"
    rows_shown = True

    def __init__(
        self,
        units,
        hops,
        penalty=0.0,
        use_bias=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.hops = self.rows = check_units("hops", hops)
        if penalty < 0:
            raise ValueError(f"penalty must be 0 or positive. Got {penalty!r}.")
        self.penalty = float(penalty)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, width):
        kernel = self.weight_options.for_kernel
        shape = (width, self.units)
        self.kernel = self.add_weight(shape, name="kernel", **kernel())
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")
        shape = (self.units, self.hops)
        self.hop_kernel = self.add_weight(shape, name="hop_kernel", **kernel())
        if self.use_bias:
            shape = (self.hops,)
            self.hop_bias = self.add_weight(shape, name="hop_bias", initializer="zeros")

    def judge(self, inputs, mask):
        bias = self.bias if self.use_bias else None
        hidden = squashed(inputs, self.kernel, bias)
        scores = ops.matmul(hidden, self.hop_kernel)
        return scores + self.hop_bias if self.use_bias else scores

    def read(self, scores, value, mask, training):
        result = super().read(scores, value, mask, training)
        if self.penalty:
            overlaps = hop_penalty(result["weights"][:, :, 0])
            self.add_loss(self.penalty * ops.mean(overlaps))
        return result

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hops": self.hops,
            "penalty": self.penalty,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
