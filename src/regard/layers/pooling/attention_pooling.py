"""Feed-forward attention: a sequence becomes one vector."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class AttentionPooling(Pooling):
    r"""$e_t = \tanh(w^\top h_t + b),\ a = \mathrm{normalizer}(e),\ c = \sum_t a_t h_t$.

    ``w`` (D,), ``b`` (): one bias for all times, so any length works and order does not
    matter. Input (B, S, D), output (B, D). A sequence that is all padding gives zeros.

    Raffel and Ellis 2015, "Feed-forward networks with attention can solve some
    long-term memory problems", arXiv:1512.08756. As tanh keeps the scores
    in [-1, 1], no time gets more than $e^2$ times the weight of another under softmax;
    ``activation=None`` lifts that.

    Args:
        activation: of the score; "tanh" as in the paper.
        use_bias: add ``b``. Without an activation softmax cancels it.
        normalizer: over time.
        dropout: of the weights.
        weight_options: kernel_ and bias_ initializer, regularizer and constraint,
            and the options of every layer.

    Raises:
        ValueError: where the input is not (batch, length, width), an option is unknown,
            or queries would compete in the normalizer.
    """

    mechanism = "attention_pooling"

    def __init__(
        self,
        activation="tanh",
        use_bias=True,
        normalizer="softmax",
        dropout=0.0,
        seed=None,
        **weight_options,
    ):
        named = {k: weight_options.pop(k) for k in _OPTIONS if k in weight_options}
        super().__init__(normalizer, dropout, seed, **weight_options)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(**{**_OPTIONS, **named})

    def add_weights(self, width):
        options = self.weight_options
        self.kernel = self.add_weight((width,), name="kernel", **options.for_kernel())
        if self.use_bias:
            self.bias = self.add_weight((), name="bias", **options.for_bias())

    def judge(self, inputs, mask):
        kernel = ops.expand_dims(ops.convert_to_tensor(self.kernel), -1)
        logits = ops.matmul(inputs, kernel)  # (B, S, 1)
        if self.use_bias:
            logits = logits + self.bias
        return self.activation(widen(logits))

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }


_OPTIONS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
    "bias_initializer": "zeros",
    "bias_regularizer": None,
    "bias_constraint": None,
}
