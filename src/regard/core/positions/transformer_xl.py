"""Distances as waves that are compared with queries, and two biases for all queries."""

import keras
from keras import ops

from regard.core.heads import spread
from regard.core.positions.distances import against, clipped, picked
from regard.core.positions.part import Position
from regard.core.positions.waves import frequencies
from regard.core.scopes import Grid, check_integer
from regard.core.scores import widen

__all__ = ["TransformerXLRelative"]

_ORIGIN = 256  # angles are counted from a multiple of it


@keras.saving.register_keras_serializable("regard")
class TransformerXLRelative(Position):
    r"""$s_{ij} = \big((q_i + u)^\top k_j + (q_i + v)^\top W r_\delta\big)/\sqrt{D}$.

    $\delta = p_i - p_j$; $r_\delta$ are the sines, then the cosines of
    $\delta\,\text{base}^{-2m/E}$, W is (E, H, D), and u, v are (H, D). Since sine and
    cosine of a difference are sums of products, no tensor of all pairs but the scores
    is made, and queries and keys may stand anywhere: a memory of earlier steps is
    simply more keys than queries, in front.

    Dai et al. 2019, "Transformer-XL", arXiv:1901.02860, section 3.3.

    Args:
        width: E, by default that of all heads together; even.
        reach: with k, distances up to k have learned vectors $W r_\delta$, a table
            (2k + 1, H, D), instead of waves; None for waves.
        base: of the waves.
        embeddings_initializer: of W or the table; u and v start at zero.

    Raises:
        ValueError: where width is odd, or keys are not as wide as queries.
    """

    count = 3
    relative = True

    def __init__(
        self,
        width=None,
        reach=None,
        base=10000.0,
        embeddings_initializer="glorot_uniform",
    ):
        self.width = None if width is None else check_integer("width", width, 2)
        self.reach = None if reach is None else check_integer("reach", reach, 1)
        self.base = float(base)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, owner, num_heads, width, value_width=None):
        size = 2 * self.reach + 1 if self.reach else self.width or num_heads * width
        if not self.reach and size % 2:
            raise ValueError(
                f"width must be even, for a sine and a cosine of each wave. Got {size}."
            )
        start = self.embeddings_initializer.clone()
        shape = (num_heads, width)
        return (
            owner.add_weight(
                (size, *shape), name="relative_projection", initializer=start
            ),
            owner.add_weight(shape, name="content_bias", initializer="zeros"),
            owner.add_weight(shape, name="position_bias", initializer="zeros"),
        )

    def bias(self, query, key, grid: Grid, *parameters):
        kernel, content, position = map(widen, parameters)
        if key.shape[-1] != query.shape[-1]:
            raise ValueError(
                "TransformerXLRelative compares places with keys as with queries, so "
                f"both need one width. Got {query.shape[-1]} and {key.shape[-1]}."
            )
        scale = query.shape[-1] ** -0.5
        query = (widen(query) + ops.expand_dims(position, 1)) * scale
        products = against(query, kernel)  # (B, H, T, E | 2k + 1)
        if self.reach:
            places = picked(products, clipped(grid.distances(), self.reach))
        else:
            places = self._waves(products, grid)
        content = ops.expand_dims(content, 1) * scale  # (H, 1, D)
        key = spread(widen(key), query.shape[1])
        return places + ops.matmul(content, ops.swapaxes(key, -1, -2))

    def _waves(self, products, grid):
        """Amplitudes of the waves (B, H, T, E) at the distances of all pairs."""
        # Small numbers have exact angles; steps and blocks of rows round alike.
        start = grid.query_positions[..., :1] // _ORIGIN * _ORIGIN
        asks = self._angles(grid.query_positions - start, products.shape[-1])
        read = self._angles(grid.key_positions - start, products.shape[-1])
        half = products.shape[-1] // 2
        sine, cosine = products[..., :half], products[..., half:]
        turned = ops.concatenate(
            [
                sine * ops.sin(asks) + cosine * ops.cos(asks),
                cosine * ops.sin(asks) - sine * ops.cos(asks),
            ],
            axis=-1,
        )
        waves = ops.concatenate([ops.cos(read), ops.sin(read)], axis=-1)
        return ops.matmul(turned, ops.swapaxes(waves, -1, -2))

    def _angles(self, places, width):
        """(T,) -> (1, 1, T, E/2), (B, T) -> (B, 1, T, E/2)."""
        turns = ops.convert_to_tensor(frequencies(width, self.base), dtype="float32")
        angles = ops.expand_dims(ops.cast(places, "float32"), -1) * turns
        while len(angles.shape) < 4:
            angles = ops.expand_dims(angles, -3)
        return angles

    def get_config(self):
        return {
            "width": self.width,
            "reach": self.reach,
            "base": self.base,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
