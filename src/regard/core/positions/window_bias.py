"""Distances in two directions as learned numbers, for windows of an image."""

import math

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.scopes import Grid, check_integer, column, row
from regard.core.scores import widen
from regard.core.shapes import whole_part

__all__ = ["ContinuousWindowBias", "WindowBias"]


def window(size) -> tuple[int, int]:
    """Height and width from both or one number for a square, or an error saying so."""
    sides = (size, size) if hasattr(size, "__index__") else tuple(size)
    if len(sides) != 2:
        raise ValueError(f"size must be a side, or height and width. Got {size!r}.")
    height, width = (check_integer("size", side, minimum=1) for side in sides)
    return height, width


def rows_of(grid: Grid, size: tuple[int, int]):
    """The row of the table for every pair, (T, S) or (B, T, S).

    Positions count a window line by line, position 0 being its first place; the table
    goes over distances in height, then in width, from -(size - 1) to size - 1.
    """
    height, width = size
    asks, read = grid.query_positions, grid.key_positions
    asks, read = (ops.cast(each, "int32") for each in (column(asks), row(read)))
    lines = whole_part(asks, width), whole_part(read, width)
    down = lines[0] - lines[1]
    right = asks - read - width * down
    down = ops.clip(down, 1 - height, height - 1) + height - 1
    return down * (2 * width - 1) + right + width - 1


def looked_up(table, rows):
    """(K, H) at (T, S) or (B, T, S) as a bias (B | 1, H, T, S)."""
    found = ops.take(widen(table), rows, axis=0)
    while len(found.shape) < 4:
        found = ops.expand_dims(found, 0)
    return ops.transpose(found, (0, 3, 1, 2))


@keras.saving.register_keras_serializable("regard")
class WindowBias(Position):
    r"""$b_{hij} = B[\Delta y, \Delta x, h]$, a learned table of distances in a window.

    For windows of $M \times M'$ places read line by line, B is
    ((2M - 1)(2M' - 1), H), in the order of Swin's code: heights outside, widths inside.

    Liu et al. 2021, "Swin Transformer", arXiv:2103.14030, section 3.2.

    Args:
        size: M for a square, or (M, M').
        embeddings_initializer: of the table.

    Raises:
        ValueError: where size is not one or two positive integers.
    """

    count = 1

    def __init__(self, size, embeddings_initializer="glorot_uniform"):
        self.size = window(size)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, owner, num_heads, width, value_width=None):
        rows = (2 * self.size[0] - 1) * (2 * self.size[1] - 1)
        start = self.embeddings_initializer
        name = "relative_position_bias_table"
        return (owner.add_weight((rows, num_heads), name=name, initializer=start),)

    def bias(self, query, key, grid: Grid, *parameters):
        return looked_up(parameters[0], rows_of(grid, self.size))

    def get_config(self):
        return {
            "size": list(self.size),
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }


@keras.saving.register_keras_serializable("regard")
class ContinuousWindowBias(Position):
    r"""$b_{hij} = 16\,\sigma\big(W_2\,\mathrm{relu}(W_1 g(\Delta) + b_1)\big)_h$.

    A small network makes the bias from the two distances, so that a window can grow
    after training. Distances are divided by the largest of the trained window, times 8,
    and $g(x) = \mathrm{sign}(x) \log_2(1 + |x|) / \log_2 8$.

    Liu et al. 2021, "Swin Transformer V2", arXiv:2111.09883, section 3.3; factors as in
    the released code.

    Args:
        size: M for a square window, or (M, M').
        trained_size: the window that was trained on, by default the same.
        units: width of the hidden layer.
        embeddings_initializer: of $W_1$ and $W_2$.

    Raises:
        ValueError: where a size is not one or two positive integers.
    """

    count = 3

    def __init__(
        self, size, trained_size=None, units=512, embeddings_initializer="he_uniform"
    ):
        self.size = window(size)
        self.trained_size = self.size if trained_size is None else window(trained_size)
        self.units = check_integer("units", units, minimum=1)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, owner, num_heads, width, value_width=None):
        shapes = {
            "distance_projection": (2, self.units),
            "distance_bias": (self.units,),
            "bias_projection": (self.units, num_heads),
        }
        return tuple(
            owner.add_weight(
                shape,
                name=name,
                initializer="zeros"
                if name == "distance_bias"
                else self.embeddings_initializer.clone(),
            )
            for name, shape in shapes.items()
        )

    def bias(self, query, key, grid: Grid, *parameters):
        first, offset, second = map(widen, parameters)
        hidden = ops.relu(ops.matmul(self._distances(), first) + offset)
        table = 16.0 * ops.sigmoid(ops.matmul(hidden, second))
        return looked_up(table, rows_of(grid, self.size))

    def _distances(self):
        """Every pair of distances on a logarithmic scale, (K, 2)."""
        scaled = [
            [_logarithmic(8.0 * d / max(whole - 1, 1)) for d in range(1 - side, side)]
            for side, whole in zip(self.size, self.trained_size, strict=True)
        ]
        pairs = [[down, right] for down in scaled[0] for right in scaled[1]]
        return ops.convert_to_tensor(pairs, dtype="float32")

    def get_config(self):
        return {
            "size": list(self.size),
            "trained_size": list(self.trained_size),
            "units": self.units,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }


def _logarithmic(distance: float) -> float:
    return math.copysign(math.log2(1.0 + abs(distance)) / 3.0, distance)
