"""Cross-attention between arrays of any kind."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import sizes_of
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units, fresh


@keras.saving.register_keras_serializable("regard")
class PerceiverAttention(Attention):
    r"""$y = q + \mathrm{heads}(\mathrm{LN}(q), \mathrm{LN}(k), \mathrm{LN}(v)) W^O$.

    The query comes from one array, keys and values from another of any width and
    length: latents that read an input, or queries of outputs that read latents. All
    sides are normalized first. Output (B, T, Dq); weights (B, H, T, S).

    ``residual=False`` leaves q out, which suits queries that only say where to look;
    with ``project_output=False`` the heads are joined and nothing follows, and the
    output is (B, T, H value_dim). Key and value have a normalization each, as they may
    differ in width; with equal weights it is the paper's single one.

    Jaegle et al. 2021, "Perceiver IO", arXiv:2107.14795;
    "Perceiver", arXiv:2103.03206.

    Args:
        num_heads, key_dim: heads, and width of queries and keys per head.
        value_dim: width of values per head, by default key_dim.
        residual: add the query.
        project_output: W^O, back to the query's width.
        kernel_initializer, kernel_regularizer, kernel_constraint: of all kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where a size is not a positive integer, or a residual is asked for
            without the projection back to the query's width.
    """

    mechanism = "perceiver"
    num_heads_shown = True

    def __init__(  # noqa: PLR0913 - Perceiver's own widths, and kernels' options
        self,
        num_heads,
        key_dim,
        value_dim=None,
        residual=True,
        project_output=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        value_dim = self.key_dim if value_dim is None else value_dim
        self.value_dim = check_units("value_dim", value_dim)
        self.residual, self.project_output = bool(residual), bool(project_output)
        if self.residual and not self.project_output:
            raise ValueError(
                "residual must be False where project_output is, because the joined "
                "heads have another width than the query. Got True."
            )
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        self.norms = {
            name: self._norm(f"{name}_norm", width)
            for name, width in (
                ("query", query_width),
                ("key", key_width),
                ("value", value_width),
            )
        }
        heads = self.num_heads
        self.query_dense = self._dense("query", query_width, heads * self.key_dim)
        self.key_dense = self._dense("key", key_width, heads * self.key_dim)
        self.value_dense = self._dense("value", value_width, heads * self.value_dim)
        if self.project_output:
            joined = heads * self.value_dim
            self.output_dense = self._dense("attention_output", joined, query_width)

    def _norm(self, name, width):
        norm = keras.layers.LayerNormalization(
            epsilon=1e-5, name=name, dtype=self.dtype_policy
        )
        norm.build((None, None, width))
        return norm

    def _dense(self, name, width, units):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        dense = keras.layers.Dense(units, name=name, dtype=self.dtype_policy, **options)
        dense.build((None, None, width))
        return dense

    def _heads(self, vectors):
        """(B, T, H D) -> (B, H, T, D)."""
        batch, length, width = sizes_of(vectors)
        shape = (batch, length, self.num_heads, width // self.num_heads)
        return ops.swapaxes(ops.reshape(vectors, shape), 1, 2)

    def project_query(self, query):
        return self._heads(self.query_dense(self.norms["query"](query)))

    def project_memory(self, key, value):
        keys = self.key_dense(self.norms["key"](key))
        values = self.value_dense(self.norms["value"](value))
        return self._heads(keys), self._heads(values)

    def recipe(self):
        return Recipe(scores.standard_dot, self.normalizer)

    def merge(self, context, query):
        batch, heads, length, width = sizes_of(context)
        joined = ops.swapaxes(context, 1, 2)
        joined = ops.reshape(joined, (batch, length, heads * width))
        output = self.output_dense(joined) if self.project_output else joined
        return query + output if self.residual else output

    def head_width(self, query_width):
        return self.key_dim

    def value_head_width(self, value_width):
        return self.value_dim

    def output_width(self, query_width, value_width):
        joined = self.num_heads * self.value_dim
        return query_width if self.project_output else joined

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "residual": self.residual,
            "project_output": self.project_output,
            **self.weight_options.config(),
        }
