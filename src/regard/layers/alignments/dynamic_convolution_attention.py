"""Dynamic convolution attention: by location alone, always forward."""

import keras
from keras import ops

from regard.core.alignments.history import convolved, start_at
from regard.core.alignments.locations import (
    beta_binomial,
    dynamically_convolved,
    moved_on,
)
from regard.core.products import squashed
from regard.core.scores import widen
from regard.core.shapes import with_head
from regard.layers.alignments.alignment import Alignment
from regard.layers.alignments.location_sensitive_attention import check_kernel_size
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class DynamicConvolutionAttention(Alignment):
    r"""$s_i = v^\top \tanh(U f_i + T g_i + b) + \ln(P * a_{i-1})$.

    $f_i = F * a_{i-1},\quad g_i = G(q_i) * a_{i-1}$

    Static filters ``F`` (static_size, 1, static_filters) and dynamic ones that the
    query makes, $G(q) = V_G \tanh(W_G q + b_G)$, see the weights before; the prior
    ``P`` lets them move on by some keys and never back. Keys are not compared with the
    query at all. ``W_G`` (Dq, units),
    ``V_G`` (units, filters x size), ``U`` and ``T`` (filters, units), ``v`` and ``b``
    (units,). State: ``alignment`` (B, 1, S), at first all on the first real key. Output
    (B, T, Dv).

    Battenberg et al. 2020, "Location-relative attention mechanisms for robust long-form
    speech synthesis", arXiv:1910.10288. P is beta-binomial; its logarithm
    is kept above ln 1e-6.

    Args:
        units: width of the hidden layers.
        static_filters, static_size, dynamic_filters, dynamic_size: of the convolutions;
            sizes are odd.
        prior: its length and the alpha and beta of the beta-binomial distribution.
        **options: of the kernels (kernel_initializer, kernel_regularizer,
            kernel_constraint) and of every attention.

    Raises:
        ValueError: where an argument is not one of these, or a position is given.
    """

    mechanism = "dynamic_convolution"

    def __init__(
        self,
        units=128,
        static_filters=8,
        static_size=21,
        dynamic_filters=8,
        dynamic_size=21,
        prior=(11, 0.1, 0.9),
        **options,
    ):
        self.weight_options = WeightOptions.taken_from(options)
        super().__init__(**options)
        self.units = check_units("units", units)
        self.static_filters = check_units("static_filters", static_filters)
        self.static_size = check_kernel_size(static_size, "static_size")
        self.dynamic_filters = check_units("dynamic_filters", dynamic_filters)
        self.dynamic_size = check_kernel_size(dynamic_size, "dynamic_size")
        self.prior = check_prior(prior)

    def add_weights(self, query_width, key_width, value_width):
        self._add("query_kernel", (query_width, self.units))
        self._add("query_bias", (self.units,))
        count = self.dynamic_filters * self.dynamic_size
        self._add("dynamic_kernel", (self.units, count))
        self._add("filter_kernel", (self.static_size, 1, self.static_filters))
        self._add("static_feature_kernel", (self.static_filters, self.units))
        self._add("dynamic_feature_kernel", (self.dynamic_filters, self.units))
        self._add("bias", (self.units,))
        self._add("score_vector", (self.units,))

    def _add(self, name, shape):
        options = {"initializer": "zeros"}
        if not name.endswith("bias"):
            options = self.weight_options.for_kernel()
        setattr(self, name, self.add_weight(shape, name=name, **options))

    def project_query(self, query):
        hidden = squashed(query, self.query_kernel, self.query_bias)
        return with_head(ops.matmul(hidden, self.dynamic_kernel))

    def begin(self, memory):
        return {"alignment": start_at(memory["mask"], "first")}

    def align(self, look, state):
        previous = state["alignment"]
        shape = (-1, self.dynamic_filters, self.dynamic_size)
        filters = ops.reshape(widen(look.query), shape)
        features = dynamically_convolved(previous[:, 0], filters)
        features = ops.matmul(features, widen(self.dynamic_feature_kernel))
        static = convolved(previous, ops.convert_to_tensor(self.filter_kernel))
        features = features + ops.matmul(static, widen(self.static_feature_kernel))
        features = ops.tanh(features + widen(self.bias))
        scores = ops.sum(features * widen(self.score_vector), axis=-1)
        prior = moved_on(previous[:, 0], beta_binomial(*self.prior))
        scores = ops.expand_dims(ops.expand_dims(scores + prior, 1), 1)
        weights = self.normalized(scores, look)
        extra = {"scores": scores, "prior": prior[:, None, None]}
        extra["previous"] = ops.expand_dims(previous, 2)
        return weights, {"alignment": weights[:, :, 0]}, extra

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "static_filters": self.static_filters,
            "static_size": self.static_size,
            "dynamic_filters": self.dynamic_filters,
            "dynamic_size": self.dynamic_size,
            "prior": list(self.prior),
            **self.weight_options.config(),
        }


def check_prior(prior):
    """(length, alpha, beta), all positive."""
    good = isinstance(prior, (list, tuple)) and len(prior) == 3
    if not good or not all(each > 0 for each in prior) or prior[0] != int(prior[0]):
        raise ValueError(
            "prior must be (length, alpha, beta): a positive integer and two positive "
            f"numbers. Got {prior!r}."
        )
    return (int(prior[0]), float(prior[1]), float(prior[2]))
