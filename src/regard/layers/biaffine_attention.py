"""Dozat and Manning's biaffine attention."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class BiaffineAttention(Attention):
    r"""$s_{ij} = f\big([q_i; 1]^\top U [k_j; 1]\big)$, which is
    $f(q_i^\top W k_j + u^\top q_i + v^\top k_j + b)$.

    ``U`` (Dq + 1, Dk + 1) is the one weight ``kernel``: W above and to the left, then u
    as its last column, v as its last row and b in the corner. $f$ is the identity. The
    widths of query, key and value are free. Output (B, T, Dv).

    Without $f$ the terms in u and b are the same for every key of a row: softmax
    cancels them, and only v's prior over the keys is left of the three.

    Dozat and Manning 2017, "Deep biaffine attention for neural dependency parsing",
    arXiv:1611.01734; there queries and keys come through small networks of
    their own first, and the scores are the answer (see ``trace``).

    Args:
        activation: f, of the scores before they are masked and normalized.
        kernel_initializer, kernel_regularizer, kernel_constraint: of U.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where an option is unknown.
    """

    mechanism = "biaffine"

    def __init__(
        self,
        activation=None,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.activation = keras.activations.get(activation)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        options = self.weight_options.for_kernel()
        shape = (query_width + 1, key_width + 1)
        self.kernel = self.add_weight(shape, name="kernel", **options)

    def project_query(self, query):
        """[q; 1] U."""
        kernel = ops.convert_to_tensor(self.kernel)
        return with_head(ops.matmul(query, kernel[:-1]) + kernel[-1])

    def project_memory(self, key, value):
        """[k; 1]."""
        one = ops.ones_like(key[..., :1])
        return with_head(ops.concatenate([key, one], axis=-1)), with_head(value)

    def recipe(self):
        return Recipe(scores.activated(self.activation), self.normalizer)

    def head_width(self, query_width):
        return self.kernel.shape[1]

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            **self.weight_options.config(),
        }
