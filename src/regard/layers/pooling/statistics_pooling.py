"""Attentive statistics: the weighed mean of a recording, and its spread."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions, check_units

_SMALLEST = 1e-12  # of a variance, whose root would have no slope at 0


@keras.saving.register_keras_serializable("regard")
class StatisticsPooling(Pooling):
    r"""$\mu = \sum_t a_t h_t,\quad \sigma = \sqrt{\sum_t a_t (h_t - \mu)^2}$,
    together $[\mu; \sigma]$ with $e_t = V f(W h_t + b) + k$.

    ``W`` (D, units), ``b`` (units,), ``V`` (units, R), ``k`` (R,) with R = 1, or with
    ``by_channel`` R = D: then every feature has weights of its own. With
    ``global_context`` the scores are made of $[h_t; \bar\mu; \bar\sigma]$, the plain
    statistics of the whole behind each frame, and W is (3 D, units). Input (B, S, D),
    output (B, 2 D), weights (B, S) or (B, D, S). What is all padding gives zeros.

    The variance is computed around the mean, not as a difference of squares, so it
    never becomes negative; below 1e-12 it is that.

    Okabe, Koshinaka, Shinoda 2018, "Attentive statistics pooling for deep speaker
    embedding", arXiv:1803.10963; by channel and with the global context
    Desplanques, Thienpondt, Demuynck 2020, "ECAPA-TDNN", arXiv:2005.07143.

    Args:
        units: width of the hidden layer.
        activation: f.
        by_channel: weights for every feature apart.
        global_context: let scores know the mean and spread of the whole.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W and V.
        **options: normalizer, dropout, seed, and those of every layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "statistics_pooling"

    def __init__(
        self,
        units,
        activation="tanh",
        by_channel=False,
        global_context=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.activation = keras.activations.get(activation)
        self.by_channel = bool(by_channel)
        self.global_context = bool(global_context)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, width):
        self.rows = width if self.by_channel else 1
        kernel = self.weight_options.for_kernel
        shape = (3 * width if self.global_context else width, self.units)
        self.kernel = self.add_weight(shape, name="kernel", **kernel())
        self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")
        shape = (self.units, self.rows)
        self.score_kernel = self.add_weight(shape, name="score_kernel", **kernel())
        shape = (self.rows,)
        self.score_bias = self.add_weight(shape, name="score_bias", initializer="zeros")

    def judge(self, inputs, mask):
        if self.global_context:
            inputs = ops.concatenate([inputs, *self._plain(inputs, mask)], axis=-1)
        hidden = self.activation(ops.matmul(inputs, self.kernel) + self.bias)
        return ops.matmul(hidden, self.score_kernel) + self.score_bias

    def _plain(self, inputs, mask):
        """Mean and spread of all that is real, behind every frame."""
        real = ops.ones_like(inputs[..., :1])
        if mask is not None:
            real = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        count = ops.sum(widen(real), axis=1, keepdims=True)
        share = ops.swapaxes(widen(real) / ops.maximum(count, 1.0), 1, 2)[:, :, None]
        value = inputs[:, None]  # (B, 1, S, D) and weights (B, 1, 1, S)
        mean = ops.matmul(share, widen(value))
        spread = self._spread(share, value, mean, mask)
        whole = ops.zeros_like(inputs)
        both = (mean[:, 0], spread[:, 0])
        return [whole + ops.cast(each, inputs.dtype) for each in both]

    def _spread(self, weights, value, mean, mask):
        """sqrt(sum_t a_t (h_t - mu)^2), zero where nothing is real."""
        apart = ops.square(widen(value) - widen(mean))
        variance = ops.maximum(ops.matmul(weights, apart), _SMALLEST)
        spread = ops.sqrt(variance)
        if mask is None:
            return spread
        some = ops.any(mask, axis=1)[:, None, None, None]
        return ops.where(some, spread, ops.zeros_like(spread))

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        inputs, mask = self.checked_inputs(inputs, mask)
        value = inputs[:, None]  # (B, 1, S, D), by channel (B, D, S, 1)
        if self.by_channel:
            value = ops.expand_dims(ops.swapaxes(inputs, 1, 2), -1)
        result = self.read(self.judge(inputs, mask), value, mask, training)
        mean = result["context"]
        spread = self._spread(result["mixing"], value, mean, mask)
        both = [ops.reshape(each, (-1, inputs.shape[-1])) for each in (mean, spread)]
        both = [ops.cast(each, self.compute_dtype) for each in both]
        output = ops.concatenate(both, axis=-1)
        if return_attention_scores:
            return output, self.shown(result["weights"])
        return output

    def output_width(self, width):
        return 2 * width

    def shown(self, weights):
        weights = ops.cast(weights[:, :, 0], self.compute_dtype)
        return weights if self.by_channel else weights[:, 0]

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        spec = super().compute_output_spec(inputs, mask, return_attention_scores)
        if not (return_attention_scores and self.by_channel):
            return spec
        batch, length, width = inputs.shape
        shape = (batch, width, length)
        return spec[0], keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "by_channel": self.by_channel,
            "global_context": self.global_context,
            **self.weight_options.config(),
        }
