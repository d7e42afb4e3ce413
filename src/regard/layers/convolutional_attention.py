"""The attention of convolutional sequence-to-sequence networks."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class ConvolutionalAttention(Attention):
    r"""$d_i = W h_i + b + g_i,\quad s_{ij} = d_i^\top z_j,\quad
    c_i = \sum_j a_{ij} (z_j + e_j)$.

    The query is a decoder's state ``h`` with, behind it, the embedding ``g`` of the
    token before: (B, T, Dh + D). The key ``z`` (B, S, D) is the encoder's output and
    the value ``e`` (B, S, D) the embedding it was made from: what is read is their sum,
    the place in its surroundings together with the token itself. ``W`` (Dh, D), ``b``
    (D,). Output (B, T, D). Every layer of a decoder has one of its own, hence
    multi-step. A query as wide as the key is an embedding alone and asks as it is.

    Gehring et al. 2017, "Convolutional sequence to sequence learning",
    arXiv:1705.03122, section 3.3. The paper multiplies the output by the square root of
    the memory's length (section 3.4); that is left to the caller.

    Args:
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where key and value differ in width or the query is narrower.
    """

    mechanism = "convolutional"

    def __init__(
        self,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        if key_width != value_width:
            raise ValueError(
                "key and value must have the same width, because they are added. Got "
                f"{key_width} and {value_width}."
            )
        self.state_width = query_width - key_width
        if self.state_width < 0:
            raise ValueError(
                "query must be [state; embedding], at least as wide as the key's "
                f"{key_width} features. Got {query_width}. Concatenate the decoder's "
                "state and the embedding of the token before it."
            )
        if not self.state_width:
            return
        options = self.weight_options.for_kernel()
        shape = (self.state_width, key_width)
        self.kernel = self.add_weight(shape, name="kernel", **options)
        if self.use_bias:
            self.bias = self.add_weight((key_width,), name="bias", initializer="zeros")

    def project_query(self, query):
        if not self.state_width:
            return with_head(query)
        state, embedding = (
            query[..., : self.state_width],
            query[..., self.state_width :],
        )
        asked = ops.matmul(state, self.kernel) + embedding
        return with_head(asked + self.bias if self.use_bias else asked)

    def project_memory(self, key, value):
        return with_head(key), with_head(key + value)

    def recipe(self):
        return Recipe(scores.dot, self.normalizer)

    def head_width(self, query_width):
        return query_width - self.state_width

    def get_config(self):
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
