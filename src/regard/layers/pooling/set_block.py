"""The block of the Set Transformer."""

from functools import partial

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe, standard_scale
from regard.core.shapes import sizes_of
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units, fresh


@keras.saving.register_keras_serializable("regard")
class SetBlock(Attention):
    r"""$H = \mathrm{LN}(Q + \mathrm{heads}(Q, K, V)),\quad
    O = \mathrm{LN}(H + \mathrm{ReLU}(H W + b))$.

    $Q, K, V$ are the inputs, each projected to ``units``, and cut into heads; the
    residual adds the *projected* query, as in the authors' program, so the widths of
    the inputs are free. Without positions it does not care for the order of anything.
    With two inputs it is the paper's MAB, with one its SAB. Output (B, T, units),
    weights (B, H, T, S). A query that sees nothing still goes through the block.

    Lee et al. 2019, "Set Transformer", arXiv:1810.00825, section 3.1, equations 6 to 8.

    Args:
        num_heads: heads; units must be a multiple.
        units: width of the block.
        layer_norm: both normalizations of layers.
        full_scale: divide scores by the root of ``units``, as the authors' program
            does, instead of the root of a head's width.
        kernel_initializer, kernel_regularizer, kernel_constraint: of all kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where a size is not a positive integer, or units no multiple.
    """

    mechanism = "set_block"
    num_heads_shown = True

    def __init__(
        self,
        num_heads,
        units,
        layer_norm=True,
        full_scale=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.units = check_units("units", units)
        if self.units % self.num_heads:
            raise ValueError(
                f"units must be a multiple of num_heads = {num_heads}. Got {units}."
            )
        self.layer_norm, self.full_scale = bool(layer_norm), bool(full_scale)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        self.query_dense = self._dense("query", query_width)
        self.key_dense = self._dense("key", key_width)
        self.value_dense = self._dense("value", value_width)
        self.output_dense = self._dense("feed_forward", self.units, "relu")
        self.norms = []
        for name in ("norm", "output_norm") if self.layer_norm else ():
            norm = keras.layers.LayerNormalization(
                epsilon=1e-5, name=name, dtype=self.dtype_policy
            )
            norm.build((None, None, self.units))
            self.norms.append(norm)

    def _dense(self, name, width, activation=None):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        dense = keras.layers.Dense(
            self.units, activation, name=name, dtype=self.dtype_policy, **options
        )
        dense.build((None, None, width))
        return dense

    def _heads(self, vectors):
        """(B, T, units) -> (B, H, T, units / H)."""
        batch, length, _ = sizes_of(vectors)
        width = self.units // self.num_heads
        vectors = ops.reshape(vectors, (batch, length, self.num_heads, width))
        return ops.swapaxes(vectors, 1, 2)

    def project_query(self, query):
        return self._heads(self.query_dense(query))

    def project_memory(self, key, value):
        return self._heads(self.key_dense(key)), self._heads(self.value_dense(value))

    def recipe(self):
        heads = 1 if self.full_scale else self.num_heads
        scale = standard_scale(self.units // heads)
        return Recipe(partial(scores.scaled_dot, scale=scale), self.normalizer)

    def merge(self, context, query):
        batch, _, length, _ = sizes_of(context)
        joined = ops.reshape(ops.swapaxes(context, 1, 2), (batch, length, self.units))
        hidden = self._normed(self.query_dense(query) + joined, 0)
        return self._normed(hidden + self.output_dense(hidden), 1)

    def _normed(self, vectors, place):
        return self.norms[place](vectors) if self.norms else vectors

    def head_width(self, query_width):
        return self.units // self.num_heads

    def value_head_width(self, value_width):
        return self.units // self.num_heads

    def output_width(self, query_width, value_width):
        return self.units

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "units": self.units,
            "layer_norm": self.layer_norm,
            "full_scale": self.full_scale,
            **self.weight_options.config(),
        }
