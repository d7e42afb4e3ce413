"""Distances in buckets, one learned number per bucket and head."""

import math

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.scopes import Grid

__all__ = ["T5Bias", "bucket_of"]


@keras.saving.register_keras_serializable("regard")
class T5Bias(Position):
    r"""$b_{hij} = B[\mathrm{bucket}(p_j - p_i), h]$ with a table ``B`` (buckets, H).

    Half the buckets are for single distances, the others grow by a constant factor up
    to ``max_distance``; all farther keys share the last. Bidirectional schemes give
    half of all buckets to later keys. The paper's layers do not divide scores by
    $\sqrt{d}$.

    Raffel et al. 2019, arXiv:1910.10683.

    Args:
        buckets: rows of the table.
        max_distance: from here on distances are not told apart.
        bidirectional: False where queries see nothing later.
        embeddings_initializer: of the table.

    Raises:
        ValueError: where there are too few buckets.
    """

    count = 1
    relative = True

    def __init__(
        self,
        buckets=32,
        max_distance=128,
        bidirectional=True,
        embeddings_initializer="glorot_uniform",
    ):
        if buckets < 4 or (bidirectional and buckets % 2):
            raise ValueError(
                "buckets must be at least 4, and even for both directions. Got "
                f"{buckets!r}."
            )
        self.buckets, self.max_distance = int(buckets), int(max_distance)
        self.bidirectional = bool(bidirectional)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, owner, num_heads, width, value_width=None):
        shape = (self.buckets, num_heads)
        start = self.embeddings_initializer
        return (
            owner.add_weight(shape, name="relative_attention_bias", initializer=start),
        )

    def bias(self, query, key, grid: Grid, *parameters):
        places = bucket_of(
            -grid.distances(), self.buckets, self.max_distance, self.bidirectional
        )
        found = ops.take(parameters[0], places, axis=0)  # (…, T, S, H)
        while len(found.shape) < 4:
            found = ops.expand_dims(found, 0)
        return ops.transpose(found, (0, 3, 1, 2))

    def get_config(self):
        return {
            "buckets": self.buckets,
            "max_distance": self.max_distance,
            "bidirectional": self.bidirectional,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }


def bucket_of(offset, buckets: int, max_distance: int, bidirectional: bool):
    """The bucket of key position minus query position; integers of the same shape."""
    offset = ops.cast(offset, "int32")
    start = ops.zeros_like(offset)
    if bidirectional:
        buckets //= 2
        start = ops.where(offset > 0, start + buckets, start)
        distance = ops.abs(offset)
    else:
        distance = ops.maximum(-offset, 0)
    exact = buckets // 2
    far = ops.cast(ops.maximum(distance, 1), "float32")
    growth = (buckets - exact) / math.log(max_distance / exact)
    grown = exact + ops.cast(ops.floor(ops.log(far / exact) * growth), "int32")
    grown = ops.minimum(grown, buckets - 1)
    return start + ops.where(distance < exact, ops.cast(distance, "int32"), grown)
