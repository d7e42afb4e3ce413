"""Feed-forward attention: a sequence becomes one vector."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.attend import Recipe, Visibility, attend
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.traceable import Traceable
from regard.layers.weight_dropout import drawn_factors, set_dropout
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class AttentionPooling(Traceable):
    r"""$e_t = \tanh(w^\top h_t + b),\ a = \mathrm{normalizer}(e),\ c = \sum_t a_t h_t$.

    ``w`` (D,), ``b`` (): one bias for all times, so any length works and order does not
    matter. Input (B, S, D), output (B, D). A sequence that is all padding gives zeros.

    Raffel and Ellis 2015, "Feed-forward networks with attention can solve some
    long-term memory problems", arXiv:1512.08756, section 1.1. As tanh keeps the scores
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
        super().__init__(**weight_options)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.normalizer = normalizers.get(normalizer)
        if not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work row by row, because there is one query for "
                f"everyone. Got {self.normalizer!r}, in which queries compete."
            )
        set_dropout(self, dropout, seed)
        self.weight_options = WeightOptions(**{**_OPTIONS, **named})
        self.supports_masking = True

    def build(self, inputs_shape):
        if len(inputs_shape) != 3 or inputs_shape[-1] is None:
            raise ValueError(
                "inputs must have shape (batch, length, width) with a known width. "
                f"Got {tuple(inputs_shape)}."
            )
        options = self.weight_options
        shape = (inputs_shape[-1],)
        self.kernel = self.add_weight(shape, name="kernel", **options.for_kernel())
        if self.use_bias:
            self.bias = self.add_weight((), name="bias", **options.for_bias())
        self.normalizer_weights = self.normalizer.build(self, 1, inputs_shape[-1])
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        inputs = hide(inputs, mask)
        kernel = ops.expand_dims(ops.convert_to_tensor(self.kernel), -1)
        logits = ops.matmul(inputs, kernel)  # (B, S, 1)
        if self.use_bias:
            logits = logits + self.bias
        logits = self.activation(widen(logits))
        visible = {} if mask is None else {"padding": mask[:, None, None, :]}
        keep = drawn_factors(self, (batch, 1, 1, length), training)
        listeners = self.recorders()
        result = attend(
            ops.ones_like(logits[:, None, :1]),  # the same query for everyone
            logits[:, None],
            inputs[:, None],
            Recipe(
                _key_is_score,
                self.normalizer,
                normalizer_parameters=tuple(
                    map(ops.convert_to_tensor, self.normalizer_weights)
                ),
            ),
            Visibility(visible),
            keep=keep,
            want=("weights", "scores", "mask"),
        )
        context = result["context"][:, 0, 0]
        for listener in listeners:
            listener.receive(
                self, {**result, "value": inputs[:, None], "masks": visible}
            )
        if return_attention_scores:
            return context, ops.cast(result["weights"][:, 0, 0], self.compute_dtype)
        return context

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], inputs_shape[-1])

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        batch, length, width = inputs.shape
        spec = keras.KerasTensor((batch, width), dtype=self.compute_dtype)
        if not return_attention_scores:
            return spec
        return spec, keras.KerasTensor((batch, length), dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "dropout": self.dropout,
            "seed": self.seed,
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


def _key_is_score(query, key):
    """(B, 1, 1, 1) and (B, 1, S, 1) -> (B, 1, 1, S)."""
    return ops.swapaxes(key, -1, -2) * query
