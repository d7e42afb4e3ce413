"""Content-based addressing: cosine similarity with a learned sharpness."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.attention import Attention
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class CosineAttention(Attention):
    r"""$s_{ij} = \beta \cos(q_i, k_j)$ with a sharpness $\beta \ge 0$.

    Lengths of queries and keys do not matter, only their directions. Cosines lie in
    [-1, 1], so with softmax no key gets more than $e^{2\beta}$ times the weight of
    another: a small $\beta$ cannot become sharp. Query and key need the same width.
    Output (B, T, Dv).

    Graves, Wayne, Danihelka 2014, "Neural Turing machines", arXiv:1410.5401,
    section 3.3.1. There $\beta$ comes from the controller at every step; here it is one
    weight of the layer.

    Args:
        sharpness: where $\beta$ starts.
        learn_sharpness: make it a weight (kept at 0 or above) instead of a constant.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where sharpness is not positive, or query and key differ in width.
    """

    mechanism = "cosine"

    def __init__(self, sharpness=10.0, learn_sharpness=True, **options):
        super().__init__(**options)
        if not sharpness > 0:
            raise ValueError(f"sharpness must be positive. Got {sharpness!r}.")
        self.initial_sharpness = float(sharpness)
        self.learn_sharpness = bool(learn_sharpness)

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, query_width, key_width)
        self.sharpness = self.add_weight(
            (),
            name="sharpness",
            initializer=keras.initializers.Constant(self.initial_sharpness),
            constraint="non_neg",
            trainable=self.learn_sharpness,
        )

    def recipe(self):
        sharpness = ops.convert_to_tensor(self.sharpness)
        return Recipe(scores.cosine, self.normalizer, (sharpness,))

    def get_config(self):
        return {
            **super().get_config(),
            "sharpness": self.initial_sharpness,
            "learn_sharpness": self.learn_sharpness,
        }
