"""Scaled dot-product attention, optionally with a learned scale."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe, standard_scale
from regard.layers.attention import Attention
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class ScaledDotAttention(Attention):
    r"""$s_{ij} = c\, q_i^\top k_j$ with $c = 1/\sqrt{D}$, fixed or learned from there.

    Query and key need the same width D; values may have another. Output (B, T, Dv).

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.2.1.

    Args:
        learn_scale: make c a weight of shape () that starts at $1/\sqrt{D}$.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where query and key differ in width, or an option is unknown.
    """

    mechanism = "scaled_dot"
    shares_memory = True
    mixes_values = True

    def __init__(self, learn_scale=False, **options):
        super().__init__(**options)
        self.learn_scale = bool(learn_scale)

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, query_width, key_width)
        self.scale = standard_scale(query_width)
        if self.learn_scale:
            start = keras.initializers.Constant(self.scale)
            self.scale = self.add_weight((), name="scale", initializer=start)

    def recipe(self):
        scale = self.scale
        if self.learn_scale:
            scale = ops.convert_to_tensor(scale)
            return Recipe(scores.scaled_dot, self.normalizer, (scale,))
        return Recipe(scores.standard_dot, self.normalizer)

    def get_config(self):
        return {**super().get_config(), "learn_scale": self.learn_scale}
