"""Additive attention with features of where the last steps looked."""

import keras
from keras import ops

from regard.core.alignments.history import STARTS, convolved, start_at
from regard.core.scopes.grid import check_integer
from regard.core.scores import widen
from regard.layers.alignments.additive_alignment import AdditiveAlignment
from regard.layers.weights import check_units

HISTORIES = ("previous", "cumulative", "both")


@keras.saving.register_keras_serializable("regard")
class LocationSensitiveAttention(AdditiveAlignment):
    r"""$s_{ij} = v^\top \tanh(W q_i + U k_j + V f_{ij} + b),\quad f_i = F * h_i$.

    ``W`` (Dq, units), ``U`` (Dk, units), ``V`` (filters, units), ``v`` and ``b``
    (units,). ``F`` (kernel_size, channels, filters) is convolved with the history
    ``h``: the weights of the step before, their sum over all steps before, or both.
    State: ``previous`` (B, steps, S) and ``cumulative`` (B, 1, S), what the history
    needs of them. Output (B, T, Dv).

    Chorowski et al. 2015, "Attention-based models for speech recognition",
    arXiv:1506.07503. ``history="both"`` with ``start="zero"`` and
    ``use_bias=False`` is that of Tacotron 2: Shen et al. 2018, arXiv:1712.05884,
    section 2.2.

    Args:
        units: width of the space in which queries and keys are compared.
        filters, kernel_size: number and width of the filters; the width is odd.
        history: "previous", "cumulative" or "both" (in this order of channels).
        steps: how many steps before are kept, the oldest first.
        start: weights before the first step: "zero", "uniform" or "first" of the real
            keys.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where an argument is not one of these, or a position is given.
    """

    mechanism = "location_sensitive"

    def __init__(
        self,
        units,
        filters=32,
        kernel_size=31,
        history="previous",
        steps=1,
        start="uniform",
        **options,
    ):
        super().__init__(units, **options)
        self.filters = check_units("filters", filters)
        self.kernel_size = check_kernel_size(kernel_size)
        if history not in HISTORIES:
            raise ValueError(f"history must be one of {HISTORIES}. Got {history!r}.")
        if start not in STARTS:
            raise ValueError(f"start must be one of {STARTS}. Got {start!r}.")
        self.history, self.start = history, start
        self.steps = check_integer("steps", steps, minimum=1)

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        previous = 0 if self.history == "cumulative" else self.steps
        channels = previous + (self.history != "previous")
        shape = (self.kernel_size, channels, self.filters)
        self.filter_kernel = self.add_kernel("filter_kernel", shape)
        shape = (self.filters, self.units)
        self.feature_kernel = self.add_kernel("feature_kernel", shape)

    def begin(self, memory):
        start, state = start_at(memory["mask"], self.start), {}
        if self.history != "cumulative":
            state["previous"] = ops.repeat(start, self.steps, axis=1)
        if self.history != "previous":
            state["cumulative"] = start
        return state

    def align(self, look, state):
        history = [state[name] for name in ("previous", "cumulative") if name in state]
        history = ops.concatenate(history, axis=1)
        features = convolved(history, ops.convert_to_tensor(self.filter_kernel))
        features = ops.matmul(features, widen(self.feature_kernel))
        scores = self.score(look, ops.expand_dims(features, 1))
        weights = self.normalized(scores, look)
        now, after, extra = weights[:, :, 0], {}, {"scores": scores}
        if "previous" in state:
            kept = [state["previous"][:, 1:], now]
            after["previous"] = ops.concatenate(kept, axis=1)
            extra["previous"] = ops.expand_dims(state["previous"], 2)
        if "cumulative" in state:
            after["cumulative"] = state["cumulative"] + now
            extra["cumulative"] = ops.expand_dims(state["cumulative"], 2)
        return weights, after, extra

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "history": self.history,
            "steps": self.steps,
            "start": self.start,
        }


def check_kernel_size(value, name="kernel_size"):
    """An odd integer, so that the filter has a middle."""
    value = check_units(name, value)
    if value % 2 == 0:
        raise ValueError(f"{name} must be odd. Got {value}.")
    return value
