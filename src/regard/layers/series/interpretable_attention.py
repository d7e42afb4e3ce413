"""Many heads that share their values, so that one map explains them all."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import sizes_of
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units, fresh


@keras.saving.register_keras_serializable("regard")
class InterpretableMultiHeadAttention(Attention):
    r"""$y = \Big(\frac{1}{H} \sum_h A_h\Big) V W^V W^O$ with
    $A_h = \mathrm{normalizer}\big(Q W^Q_h (K W^K_h)^\top / \sqrt{d}\big)$.

    Heads differ in what they compare but read the same values, and their contexts are
    averaged, so the mean of the maps says exactly what was read: a single matrix
    (B, T, S), the mean of the (B, H, T, S) that are returned. Output (B, T, Dq).

    Lim et al. 2019, "Temporal fusion transformers", arXiv:1912.09363, section 4.4.

    Args:
        num_heads, key_dim: heads, and width of queries and keys per head.
        value_dim: width of the shared values, by default key_dim.
        use_bias: of the projections; the paper has none.
        kernel_initializer, kernel_regularizer, kernel_constraint: of all kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where a size is not a positive integer or an option is unknown.
    """

    mechanism = "interpretable"
    num_heads_shown = True

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        use_bias=False,
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
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        width = self.num_heads * self.key_dim
        self.query_dense = self._dense("query", query_width, width)
        self.key_dense = self._dense("key", key_width, width)
        self.value_dense = self._dense("value", value_width, self.value_dim)
        self.output_dense = self._dense("attention_output", self.value_dim, query_width)

    def _dense(self, name, width, units):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        options |= {"use_bias": self.use_bias, "dtype": self.dtype_policy}
        dense = keras.layers.Dense(units, name=name, **options)
        dense.build((None, None, width))
        return dense

    def _heads(self, vectors):
        """(B, T, H D) -> (B, H, T, D)."""
        batch, length, _ = sizes_of(vectors)
        shape = (batch, length, self.num_heads, self.key_dim)
        return ops.swapaxes(ops.reshape(vectors, shape), 1, 2)

    def project_query(self, query):
        return self._heads(self.query_dense(query))

    def project_memory(self, key, value):
        values = ops.expand_dims(self.value_dense(value), 1)
        return self._heads(self.key_dense(key)), ops.repeat(values, self.num_heads, 1)

    def recipe(self):
        return Recipe(scores.standard_dot, self.normalizer)

    def merge(self, context, query):
        return self.output_dense(ops.mean(context, axis=1))

    def head_width(self, query_width):
        return self.key_dim

    def value_head_width(self, value_width):
        return self.value_dim

    def output_width(self, query_width, value_width):
        return query_width

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
