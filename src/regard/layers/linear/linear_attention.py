"""Linear attention over a memory: sums of keys instead of a table of pairs."""

import keras
from keras import ops

from regard.core import features, scores
from regard.core.attend import Recipe
from regard.core.normalizers import Proportional
from regard.core.positions import CosineReweighting
from regard.layers.multi_head_attention import MultiHeadAttention


@keras.saving.register_keras_serializable("regard")
class LinearAttention(MultiHeadAttention):
    r"""$c_i = \frac{\sum_j \phi(q_i)^\top\phi(k_j)\,v_j}
    {\sum_j \phi(q_i)^\top\phi(k_j) + \epsilon}$ in every head.

    Scores are products of features, so $\sum_j\phi(k_j)v_j^\top$ and
    $\sum_j\phi(k_j)$ are computed once for all queries: time and memory are linear in
    both lengths. Masks of single pairs, scopes, a bias and dropout are exact too, but
    need the table of pairs. For one causal pass in linear time, and steps with a state,
    see ``CausalLinearAttention``.

    Katharopoulos et al. 2020, "Transformers are RNNs", arXiv:2006.16236, section 3.2.
    Efficient attention (``feature_map="efficient"``), Performer
    (``regard.features.RandomFeatures``) and cosFormer (``feature_map="relu",
    position=regard.positions.CosineReweighting(length)``) differ in the features.

    Args:
        num_heads, key_dim: as in ``MultiHeadAttention``.
        feature_map: a name or object of ``regard.features`` with positive scores.
        **options: of ``MultiHeadAttention``; ``normalizer`` is
            ``regard.normalizers.Proportional(epsilon)``, ``position`` None or
            ``regard.positions.CosineReweighting``.

    Raises:
        ValueError: for scores that may be negative or another normalizer or position,
            and in a call that hides single pairs from features that need all keys.
    """

    mechanism = "linear"
    factored = True

    def __init__(self, num_heads, key_dim, feature_map="elu", **options):
        super().__init__(num_heads, key_dim, **{"normalizer": "proportional", **options})
        self.feature_map = features.get(feature_map)
        if not self.feature_map.positive:
            raise ValueError(
                "feature_map must give positive scores, which are divided by their "
                f"sum. Got {self.feature_map!r}."
            )
        if not isinstance(self.normalizer, Proportional):
            raise ValueError(
                "normalizer must be Proportional for linear attention. Got "
                f"{self.normalizer!r}. MultiHeadAttention takes any."
            )
        allowed = isinstance(self.position, CosineReweighting)
        if self.position is not None and not allowed:
            raise ValueError(
                "position must be None or CosineReweighting, under which scores stay "
                f"positive products. Got {self.position!r}."
            )

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        self.feature_weights = self.feature_map.build(
            self, self.num_heads, self.key_dim
        )

    def project_query(self, query):
        return self.feature_map.query(super().project_query(query), *self._drawn())

    def settle_keys(self, keys, padding):
        return self.feature_map.key(keys, padding, *self._drawn())

    def _drawn(self):
        return [ops.convert_to_tensor(each) for each in self.feature_weights]

    def recipe(self):
        return Recipe(scores.dot, self.normalizer, factored=True)

    def head_width(self, query_width):
        return self.feature_map.width(self.key_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "feature_map": keras.saving.serialize_keras_object(self.feature_map),
        }
