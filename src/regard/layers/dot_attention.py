"""Luong's dot attention."""

import keras

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.attention import Attention
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class DotAttention(Attention):
    r"""$s_{ij} = q_i^\top k_j$: no weights at all.

    Query and key need the same width; values may have another. Output (B, T, Dv). With
    unit-variance inputs the scores have variance D: see ``ScaledDotAttention``.

    Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine
    translation", arXiv:1508.04025, section 3.1.

    Args:
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where query and key differ in width, or an option is unknown.
    """

    mechanism = "dot"
    shares_memory = True
    mixes_values = True

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, query_width, key_width)

    def recipe(self):
        return Recipe(scores.dot, self.normalizer)
