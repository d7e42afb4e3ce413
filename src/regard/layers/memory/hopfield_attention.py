"""The modern Hopfield network."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe, standard_scale
from regard.layers.attention import Attention
from regard.layers.weights import (
    WeightOptions,
    check_equal_widths,
    check_units,
    check_units_or_none,
)


@keras.saving.register_keras_serializable("regard")
class HopfieldAttention(Attention):
    r"""$\xi \gets \mathrm{softmax}(\beta\, \xi K^\top) K$, several times; then
    $\mathrm{softmax}(\beta\, \xi K^\top) V$.

    A state falls into the nearest of the patterns stored in K, or between some that
    are alike; ``updates=1`` is attention. With ``units`` the state $\xi = q W_q$, the
    patterns $K = k W_k$ and $V = v W_v$ are projected in every head, and the heads
    joined by ``W_o``: kernels (D, H, units), (H, units, Dq). Without, the
    patterns are the inputs themselves, the network of the paper. Output
    (B, T, Dq) or (B, T, Dv), weights of the last update (B, H, T, S).

    Ramsauer et al. 2020, "Hopfield networks is all you need", arXiv:2008.02217.

    Args:
        units: width of the patterns per head; None compares the inputs.
        num_heads: with units only.
        updates: how often the state moves, the last time over V.
        beta: $\beta$, by default one over the root of the width.
        learn_beta: train it, one number for all heads.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: for a size that is not a positive integer, heads without units, or
            inputs of unequal width without units.
    """

    mechanism = "hopfield"
    num_heads_shown = True

    def __init__(
        self,
        units=None,
        num_heads=1,
        updates=1,
        beta=None,
        learn_beta=False,
        **options,
    ):
        own = {name: options.pop(name, None) for name in _OPTIONS}
        super().__init__(**options)
        self.units = check_units_or_none("units", units)
        self.num_heads = check_units("num_heads", num_heads)
        self.updates = check_units("updates", updates)
        if self.units is None and self.num_heads > 1:
            raise ValueError(
                f"num_heads must be 1 without units. Got {num_heads}. Set units."
            )
        self.beta = None if beta is None else float(beta)
        self.learn_beta = bool(learn_beta)
        own["kernel_initializer"] = own["kernel_initializer"] or "glorot_uniform"
        self.weight_options = WeightOptions(**own)

    def add_weights(self, query_width, key_width, value_width):
        if self.units is None:
            check_equal_widths(self, query_width, key_width)
        else:
            heads, units = self.num_heads, self.units
            for name, shape in {
                "query_kernel": (query_width, heads, units),
                "key_kernel": (key_width, heads, units),
                "value_kernel": (value_width, heads, units),
                "output_kernel": (heads, units, query_width),
            }.items():
                options = self.weight_options.for_kernel()
                setattr(self, name, self.add_weight(shape, name=name, **options))
        self.start = self.beta or standard_scale(self.head_width(query_width))
        if self.learn_beta:
            start = keras.initializers.Constant(self.start)
            self.sharpness = self.add_weight((), name="beta", initializer=start)

    def project_query(self, query):
        return query[:, None] if self.units is None else heads(query, self.query_kernel)

    def project_memory(self, key, value):
        if self.units is None:
            return key[:, None], value[:, None]
        return heads(key, self.key_kernel), heads(value, self.value_kernel)

    def recipe(self):
        beta = self.sharpness if self.learn_beta else self.start
        beta = scores.widen(ops.convert_to_tensor(beta, dtype="float32"))
        return Recipe(scores.scaled_dot, self.normalizer, (beta,))

    def look(self, queries, keys, values, visibility, bias=None, keep=None, want=()):
        for _ in range(self.updates - 1):
            found = super().look(queries, keys, keys, visibility, bias)
            queries = found["context"]
        found = super().look(queries, keys, values, visibility, bias, keep, want)
        return {**found, "extra": {"moved": queries}} if "scores" in want else found

    def merge(self, context, query):
        if self.units is None:
            return context[:, 0]
        return ops.einsum("bhtk,hkd->btd", context, self.output_kernel)

    def head_width(self, query_width):
        return self.units or query_width

    def value_head_width(self, value_width):
        return self.units or value_width

    def output_width(self, query_width, value_width):
        return query_width if self.units else value_width

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
            "updates": self.updates,
            "beta": self.beta,
            "learn_beta": self.learn_beta,
            **self.weight_options.config(),
        }


_OPTIONS = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")


def heads(inputs, kernel):
    """(B, T, D) and (D, H, K) -> (B, H, T, K)."""
    return ops.einsum("btd,dhk->bhtk", inputs, kernel)
