"""Causal linear attention: a Transformer layer that is a recurrent network."""

import keras
from keras import ops

from regard.core import features
from regard.core.scans import gated_scan
from regard.layers.linear.recurrence import RecurrentAttention, zeros_beside


@keras.saving.register_keras_serializable("regard")
class CausalLinearAttention(RecurrentAttention):
    r"""$o_t = \frac{\sum_{j\le t}\phi(q_t)^\top\phi(k_j)\,v_j}
    {\sum_{j\le t}\phi(q_t)^\top\phi(k_j) + \epsilon}$.

    $S_t = S_{t-1} + \phi(k_t) v_t^\top$ and $z_t = z_{t-1} + \phi(k_t)$ hold all that
    is remembered; z is the last column of the state ``memory`` (B, H, F, V + 1).

    Katharopoulos et al. 2020, "Transformers are RNNs", arXiv:2006.16236, sections 3.2
    and 3.3. Theirs adds epsilon 1e-6 to the sum as well.

    With ``feature_map="relu"`` and ``position=positions.CosineReweighting(M)`` it is
    cosFormer (Qin et al. 2022, arXiv:2202.08791) as a stream of up to M positions.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        feature_map: a name or object of ``regard.features`` whose keys depend on
            themselves alone.
        normalize: divide by the sum of the scores.
        epsilon: added to that sum.
        **options: of every recurrence (see ``RecurrentAttention``) and layer.

    Raises:
        ValueError: for a feature map that needs all keys at once, with normalize for
            scores that may be negative or a scale, and with CosineReweighting for
            other features than relu.
    """

    mechanism = "causal_linear"

    def __init__(
        self,
        num_heads,
        key_dim,
        feature_map="elu",
        normalize=True,
        epsilon=1e-6,
        **options,
    ):
        super().__init__(num_heads, key_dim, **{"scale": 1.0, **options})
        self.feature_map = features.get(feature_map)
        self.normalize, self.epsilon = bool(normalize), float(epsilon)
        if not self.feature_map.pointwise:
            raise ValueError(
                "feature_map must compute the features of a key from that key alone. "
                f"Got {self.feature_map!r}. RandomFeatures(shared_maximum=False) and "
                "Exponential() do."
            )
        check_sign(self.feature_map, self.normalize)
        doubled = self.position is not None and self.position.copies > 1
        if doubled and not isinstance(self.feature_map, features.ReLU):
            raise ValueError(
                f"feature_map must be 'relu' with {self.position!r}. Got "
                f"{self.feature_map!r}."
            )
        if self.normalize and self.scale != 1.0:
            raise ValueError(
                "scale must be 1 with normalize=True, which divides by it again. Got "
                f"{self.scale}."
            )

    def check_position(self):
        """Written twice, keys need features that cosines and sines can be taken into.

        Those of places within the length are not negative, so that relu of a product
        with them is the product with relu.
        """

    def add_gates(self, width):
        self.feature_weights = self.feature_map.build(
            self, self.num_heads, self.key_dim
        )

    def prepared(self, parts):
        weights = [ops.convert_to_tensor(each) for each in self.feature_weights]
        return {
            "query": self.feature_map.query(parts["query"], *weights),
            "key": self.feature_map.key(parts["key"], None, *weights),
            "value": parts["value"],
        }

    def recur(self, parts, memory):
        value = parts["value"]
        if not self.normalize:
            return gated_scan(
                parts["query"], parts["key"], value, None, memory, self.chunk_size
            )
        value = ops.concatenate([value, ops.ones_like(value[..., :1])], axis=-1)
        sums, memory = gated_scan(
            parts["query"], parts["key"], value, None, memory, self.chunk_size
        )
        return sums[..., :-1] / (sums[..., -1:] + self.epsilon), memory

    def without_values(self, memory, width):
        if not self.normalize:
            return None
        zeros = zeros_beside(memory, width)
        return ops.concatenate([zeros, memory[..., -1:]], axis=-1)

    def memory_shape(self):
        copies = 1 if self.position is None else self.position.copies
        count = self.feature_map.width(self.key_dim * copies)
        return count, self.value_dim + (1 if self.normalize else 0)

    def get_config(self):
        return {
            **super().get_config(),
            "feature_map": keras.saving.serialize_keras_object(self.feature_map),
            "normalize": self.normalize,
            "epsilon": self.epsilon,
        }


def check_sign(feature_map, normalize):
    """A row is divided by its sum only where no score is negative."""
    if normalize and not feature_map.positive:
        raise ValueError(
            "normalize must be False where scores may be negative. Got "
            f"{feature_map!r}."
        )
