"""Patterns over time, picked per feature: temporal pattern attention."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.attend import Recipe, attend
from regard.core.scores import dot
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class TemporalPatternAttention(Traceable):
    r"""$p_i = C^\top h_{i, 1..w},\quad a_i = \sigma(p_i^\top W_a h_t),\quad
    o = W_h h_t + W_v \sum_i a_i p_i$.

    The input is a window of recurrent states (B, w + 1, m), the last of them $h_t$.
    Each of the m features has its course over the w steps before described by
    ``filters`` numbers, and the present state picks features by these patterns, several
    at once: weights are a sigmoid, not shares. Output (B, units), weights (B, m). ``C``
    (w, filters), ``W_a`` (m, filters), ``W_h`` (m, units), ``W_v`` (filters, units).

    Shih, Sun, Lee 2019, "Temporal pattern attention for multivariate time series
    forecasting", arXiv:1809.04206.

    Args:
        units: width of the output.
        filters: patterns per feature, 32 in the paper.
        normalizer: of the scores, by default the plain sigmoid.
        kernel_initializer, kernel_regularizer, kernel_constraint: of all weights.

    Raises:
        ValueError: where the window's length is unknown or below 2.
    """

    mechanism = "temporal_pattern"

    def __init__(
        self,
        units,
        filters=32,
        normalizer=None,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.filters = check_units("filters", filters)
        normalizer = normalizers.Sigmoid(bias=0.0) if normalizer is None else normalizer
        self.normalizer = normalizers.get(normalizer)
        if self.normalizer.has_weights or not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work on one row and hold no weights here. Got "
                f"{self.normalizer!r}."
            )
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def build(self, inputs_shape):
        _, steps, width = inputs_shape
        if steps is None or steps < 2 or width is None:
            raise ValueError(
                "inputs must be a window of a known number of steps, at least 2, and a "
                f"known width. Got {tuple(inputs_shape)}."
            )
        self.steps = steps
        shapes = {
            "pattern_kernel": (steps - 1, self.filters),
            "query_kernel": (width, self.filters),
            "state_kernel": (width, self.units),
            "read_kernel": (self.filters, self.units),
        }
        for name, shape in shapes.items():
            options = self.weight_options.for_kernel()
            setattr(self, name, self.add_weight(shape, name=name, **options))
        self.built = True

    def call(self, inputs, return_attention_scores=False):
        if inputs.shape[1] is not None and inputs.shape[1] != self.steps:
            raise ValueError(
                f"inputs must have {self.steps} steps, as when the layer was built. "
                f"Got {inputs.shape[1]}."
            )
        state = inputs[:, -1]
        courses = ops.swapaxes(inputs[:, :-1], 1, 2)  # (B, m, w)
        patterns = ops.matmul(courses, self.pattern_kernel)[:, None]
        query = ops.matmul(state, self.query_kernel)[:, None, None]
        result = attend(
            query,
            patterns,
            patterns,
            Recipe(dot, self.normalizer),
            want=("weights", "scores", "mask"),
        )
        read = result["context"][:, 0, 0]
        output = ops.matmul(state, self.state_kernel)
        output = output + ops.matmul(read, self.read_kernel)
        for listener in self.recorders():
            tensors = {"query": query, "key": patterns, "value": patterns}
            listener.receive(self, {**tensors, **result})
        if return_attention_scores:
            return output, ops.cast(result["weights"][:, 0, 0], self.compute_dtype)
        return output

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], self.units)

    def compute_output_spec(self, inputs, return_attention_scores=False):
        output = (inputs.shape[0], self.units)
        weights = (inputs.shape[0], inputs.shape[-1])
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "filters": self.filters,
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            **self.weight_options.config(),
        }
