"""Attention between a series and itself, shifted."""

import keras
from keras import ops

from regard.core.autocorrelation import (
    correlation,
    delays,
    number_of_delays,
    read_delayed,
)
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units, fresh


@keras.saving.register_keras_serializable("regard")
class AutoCorrelation(Adaptable, Traceable):
    r"""$r_\delta = \sum_t q_t k_{t-\delta},\quad
    y_t = \sum_{i \le k} \mathrm{softmax}(r_{\delta_1}, \dots)_i\, v_{t + \delta_i}$.

    The $k = \lfloor c \ln T \rfloor$ delays at which query and key agree most, on
    average over heads and features, are read: whole pieces of the series, not single
    steps. Correlations come from a Fourier transform, T ln T instead of T·T. In
    training the batch shares its delays, at inference every example has its own.
    Output (B, T, Dq); weights (B, T): how much every delay counts.

    Time is a circle of T steps. A memory of another length is cut to T or filled with
    zeros; hidden steps are zero too, as a transform cannot leave them out. The length
    must be known when the layer is called.

    Wu et al. 2021, "Autoformer", arXiv:2106.13008, section 3.2.

    Args:
        num_heads, key_dim: heads, and their width.
        factor: c, 1 to 3 in the paper.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the projections.

    Call arguments:
        query: (B, T, Dq); value: (B, S, Dv), by default the query; key: (B, S, Dk), by
            default the value.
        value_mask: (B, S), True = real.
        return_attention_scores: also return the weights of the delays.

    Raises:
        ValueError: where a size is not a positive integer or the length is unknown.
    """

    mechanism = "auto_correlation"

    def __init__(
        self,
        num_heads,
        key_dim,
        factor=1,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        if not factor > 0:
            raise ValueError(f"factor must be positive. Got {factor!r}.")
        self.factor = factor
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )
        self.supports_masking = True

    def build(self, query_shape, value_shape=None, key_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        width = self.num_heads * self.key_dim
        self.query_dense = self._dense("query", query_shape[-1], width)
        self.key_dense = self._dense("key", key_shape[-1], width)
        self.value_dense = self._dense("value", value_shape[-1], width)
        self.output_dense = self._dense("attention_output", width, query_shape[-1])
        self.built = True

    def _dense(self, name, width, units):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        dense = keras.layers.Dense(units, name=name, dtype=self.dtype_policy, **options)
        dense.build((None, None, width))
        return dense

    def call(
        self,
        query,
        value=None,
        key=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        value = query if value is None else value
        key = value if key is None else key
        length = query.shape[1]
        if length is None or value.shape[1] is None:
            raise ValueError(
                "query and value must have known lengths, which decide how many delays "
                f"are read. Got {tuple(query.shape)} and {tuple(value.shape)}."
            )
        mask = join(value_mask, get_keras_mask(value))
        mask = checked(mask, "value_mask", *sizes_of(value)[:2])
        queries = self._heads(self.query_dense(query))
        keys, values = (
            self._heads(fitted(hide(dense(hide(each, mask)), mask), length))
            for dense, each in ((self.key_dense, key), (self.value_dense, value))
        )
        found = correlation(queries, keys)  # (B, H, D, T)
        strength = ops.mean(found, axis=(1, 2))
        count = number_of_delays(length, self.factor)
        weights, chosen = delays(strength, count, bool(training))
        context = read_delayed(values, weights, chosen)
        joined = ops.reshape(
            ops.swapaxes(context, 1, 2), (-1, length, self.num_heads * self.key_dim)
        )
        output = self.output_dense(joined)
        counted = ops.expand_dims(weights, -1)
        counted = ops.sum(counted * ops.one_hot(chosen, length), axis=1)
        for listener in self.recorders():
            rows = {"scores": strength, "weights": counted}
            rows = {name: each[:, None, None] for name, each in rows.items()}
            extra = {"delays": chosen, "correlation": found}
            extra["shared"] = ops.convert_to_tensor(bool(training))
            if mask is not None:
                extra["padding"] = mask
            listener.receive(self, {**rows, "value": values, "extra": extra})
        if return_attention_scores:
            return output, ops.cast(counted, self.compute_dtype)
        return output

    def _heads(self, vectors):
        """(B, T, H D) -> (B, H, T, D)."""
        batch, length, _ = sizes_of(vectors)
        shape = (batch, length, self.num_heads, self.key_dim)
        return ops.swapaxes(ops.reshape(vectors, shape), 1, 2)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        return tuple(query_shape)

    def compute_output_spec(self, query, value=None, key=None, **options):
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, query.shape, query.shape[:2])

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "factor": self.factor,
            **self.weight_options.config(),
        }


def fitted(memory, length):
    """A memory (B, S, D) cut to the length, or filled with zeros."""
    missing = length - memory.shape[1]
    if missing > 0:
        return ops.pad(memory, [(0, 0), (0, missing), (0, 0)])
    return memory[:, :length]
