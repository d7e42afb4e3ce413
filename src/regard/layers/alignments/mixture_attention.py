"""Attention by a mixture of bells that walk forward over the keys."""

import keras
import numpy as np
from keras import ops

from regard.core.alignments.locations import VERSIONS, bells, mixture_weights, ranks
from regard.core.products import squashed
from regard.core.scores import widen
from regard.core.shapes import with_head
from regard.layers.alignments.alignment import Alignment
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class MixtureAttention(Alignment):
    r"""$a_{ij} = \sum_k \frac{w_{ik}}{Z_{ik}} e^{-(j - \mu_{ik})^2 / 2 \sigma_{ik}^2}$.

    $\mu_{ik} = \mu_{i-1,k} + \Delta_{ik}$ with $\Delta > 0$; raw $w, \Delta, \sigma$
    are $V \tanh(W q_i + b) + c$: ``W`` (Dq, units), ``b`` (units,), ``V``
    (units, 3 components), ``c`` (3 components,). Without ``units`` they are linear in
    the query. The keys are not read, only their number j among the real ones, from 0.
    A row need not sum to one. State: ``kappa`` (B, 1, components), the means, 0 at the
    start. Output (B, T, Dv).

    Graves 2013, "Generating sequences with recurrent neural networks", arXiv:1308.0850,
    section 5.1 (version "v0"). Battenberg et al. 2020, "Location-relative attention
    mechanisms for robust long-form speech synthesis", arXiv:1910.10288
    ("v1", "v2"); "v2b" is "v2" that starts with steps of 1 and widths of 10.

    Args:
        components: number of bells.
        units: width of the hidden layer, or None.
        version: how raw numbers become amounts, steps and widths.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W and V.
        **options: of every attention but the normalizer (scope, dropout, seed).

    Raises:
        ValueError: where an argument is not one of these, or a normalizer or a position
            is given.
    """

    mechanism = "mixture"
    scored = False

    def __init__(self, components=5, units=128, version="v2b", **options):
        self.weight_options = WeightOptions.taken_from(options)
        super().__init__(**options)
        self.components = check_units("components", components)
        self.units = None if units is None else check_units("units", units)
        if version not in VERSIONS:
            raise ValueError(f"version must be one of {VERSIONS}. Got {version!r}.")
        self.version = version

    def add_weights(self, query_width, key_width, value_width):
        kernel = self.weight_options.for_kernel
        if self.units:
            shape = (query_width, self.units)
            self.query_kernel = self.add_weight(shape, name="query_kernel", **kernel())
            self.query_bias = self.add_weight(
                (self.units,), name="query_bias", initializer="zeros"
            )
        count = 3 * self.components
        shape = (self.units or query_width, count)
        self.mixture_kernel = self.add_weight(shape, name="mixture_kernel", **kernel())
        self.mixture_bias = self.add_weight(
            (count,), name="mixture_bias", initializer=self._start
        )

    def _start(self, shape, dtype=None):
        """Zeros; for v2b steps of 1 and widths of 10."""
        start = np.zeros((3, self.components))
        if self.version == "v2b":
            start[1:] = np.log(np.expm1([[1.0], [10.0]]))
        return ops.convert_to_tensor(start.reshape(shape).astype("float32"), dtype)

    def project_query(self, query):
        if self.units:
            query = squashed(query, self.query_kernel, self.query_bias)
        return with_head(ops.matmul(query, self.mixture_kernel) + self.mixture_bias)

    def begin(self, memory):
        start = ops.zeros((ops.shape(memory["mask"])[0], 1, self.components), "float32")
        return {"kappa": start}

    def align(self, look, state):
        amount, step, width = bells(widen(look.query[:, 0, 0]), self.version)
        before = state["kappa"][:, 0]
        mean = before + step
        weights = mixture_weights(amount, mean, width, ranks(look.real))
        weights = ops.expand_dims(ops.expand_dims(weights, 1), 1)
        weights = ops.where(look.seen, weights, ops.zeros_like(weights))
        extra = {"kappa_before": before, "kappa": mean, "width": width}
        extra["amount"] = amount
        extra = {name: each[:, None, None] for name, each in extra.items()}
        return weights, {"kappa": ops.expand_dims(mean, 1)}, extra

    def get_config(self):
        return {
            **super().get_config(),
            "components": self.components,
            "units": self.units,
            "version": self.version,
            **self.weight_options.config(),
        }
