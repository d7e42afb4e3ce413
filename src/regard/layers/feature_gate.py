"""The three-line "Dense softmax, multiply"."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.masks import boolean_mask
from regard.core.scores import widen
from regard.layers.inputs import hide
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class FeatureGate(Traceable):
    r"""$y = x \odot a,\quad a = \mathrm{normalizer}(W x + b)$ over the features.

    ``W`` (D, D), ``b`` (D,). Input (…, D), output the same. It weighs the *features* of
    each position on its own: there is no query, no sum over time, and a softmax gate
    scales the output by about 1/D. Folklore of Keras tutorials, where it is called
    attention.

    Args:
        normalizer: over the features.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W.

    Raises:
        ValueError: where the width is unknown or an option is.
    """

    mechanism = "feature_gate"

    def __init__(
        self,
        normalizer="softmax",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.normalizer = normalizers.get(normalizer)
        if self.normalizer.has_weights or not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work on one row and hold no weights for a gate. Got "
                f"{self.normalizer!r}."
            )
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )
        self.supports_masking = True

    def build(self, inputs_shape):
        width = inputs_shape[-1]
        if width is None:
            raise ValueError(
                "inputs must have a known width (the last axis). Got "
                f"{tuple(inputs_shape)}."
            )
        options = self.weight_options.for_kernel()
        self.kernel = self.add_weight((width, width), name="kernel", **options)
        if self.use_bias:
            self.bias = self.add_weight((width,), name="bias", initializer="zeros")
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False):
        if mask is not None:  # padding may hold anything, NaN included
            inputs = hide(inputs, boolean_mask(mask, "mask"))
        scores = ops.matmul(inputs, self.kernel)
        if self.use_bias:
            scores = scores + self.bias
        scores = widen(scores)
        weights = self.normalizer(scores)
        outputs = inputs * ops.cast(weights, inputs.dtype)
        for listener in self.recorders():
            # Each position weighs its own features: (positions, 1, 1, D).
            width = ops.shape(inputs)[-1]
            rows = {"scores": scores, "weights": weights, "value": inputs}
            rows = {n: ops.reshape(t, (-1, 1, 1, width)) for n, t in rows.items()}
            context = ops.reshape(outputs, (-1, 1, 1, width))
            listener.receive(self, {**rows, "context": context})
        if return_attention_scores:
            return outputs, ops.cast(weights, self.compute_dtype)
        return outputs

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        spec = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        return (spec, spec) if return_attention_scores else spec

    def get_config(self):
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
