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
        **options: of ``MultiHeadAttention`` without ``scale``; ``normalizer`` is
            ``regard.normalizers.Proportional(epsilon)``, ``position`` None or
            ``regard.positions.CosineReweighting``.

    Raises:
        ValueError: for scores that may be negative, a scale, another normalizer or
            position, and in a call that hides single pairs from features that need all
            keys.
    """

    mechanism = "linear"
    factored = True

    def __init__(self, num_heads, key_dim, feature_map="elu", **options):
        super().__init__(
            num_heads, key_dim, **{"normalizer": "proportional", **options}
        )
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
        if self.scale is not None:
            raise ValueError(
                "scale must be None for linear attention, whose features are divided "
                f"by their sum. Got {self.scale}."
            )
        placed = isinstance(self.position, CosineReweighting)
        if self.position is not None and not (placed and self.feature_map.pointwise):
            raise ValueError(
                "position must be None or CosineReweighting, under which scores stay "
                "positive products, and None where features need all keys. Got "
                f"{self.position!r} with {self.feature_map!r}."
            )

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        self.feature_weights = self.feature_map.build(
            self, self.num_heads, self.key_dim
        )

    def project_query(self, query):
        return self.feature_map.query(
            super().project_query(query), *self._of_features()
        )

    def project_memory(self, key, value):
        keys, values = super().project_memory(key, value)
        if self.feature_map.pointwise:
            keys = self.feature_map.key(keys, None, *self._of_features())
        return keys, values

    def ordered(self, memory):
        """Keys or values of every head of queries: sums are not shared by groups."""
        if self.head_order == "repeat":
            copies = self.num_heads // self.num_key_value_heads
            return ops.repeat(memory, copies, axis=1) if copies > 1 else memory
        return super().ordered(memory)

    def _of_features(self):
        return [ops.convert_to_tensor(each) for each in self.feature_weights]

    def _visibility(self, query_mask, padding, attention_mask, causal, *rest):
        pairs = attention_mask is not None or causal or self.scope is not None
        if pairs and not self.feature_map.pointwise:
            raise ValueError(
                "attention_mask, use_causal_mask and scope must not be used where the "
                "features of a key depend on all keys, also on hidden ones. Got "
                f"feature_map={self.feature_map!r}."
            )
        return super()._visibility(query_mask, padding, attention_mask, causal, *rest)

    def recipe(self):
        settle = None if self.feature_map.pointwise else self._settle
        return Recipe(scores.dot, self.normalizer, factored=True, settle=settle)

    def _settle(self, keys, padding):
        return self.feature_map.key(keys, padding, *self._of_features())

    def head_width(self, query_width):
        return self.feature_map.width(self.key_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "feature_map": keras.saving.serialize_keras_object(self.feature_map),
        }
