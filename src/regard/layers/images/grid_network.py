"""A stack of causal convolutions over a grid: densely joined, or with residuals."""

import keras
from keras import ops

from regard.core.grids import hide_cells
from regard.layers.images.grid_convolution import GridConvolution

KINDS = ("dense", "residual")
BOTTLENECK = 4  # a block first narrows or widens to so many times its output


class GridNetwork(keras.layers.Layer):
    """``depth`` blocks over (B, T, S, C), each norm, relu, 1x1, norm, relu, k x k.

    "dense": every block adds ``units`` channels to all that came before. "residual":
    a projection to ``units`` channels first, then every block is added to its input.
    Normalization is over the channels of one cell: over the batch it would carry later
    targets into earlier ones. ``cells`` (B, T, S) says what is real; the rest is zero
    wherever a convolution looks.
    """

    def __init__(self, kind, depth, units, kernel, dropout, **options):
        super().__init__(**options)
        rows, columns, kernel_options = kernel
        shared = {"dtype": self.dtype_policy}
        self.kind, self.units = kind, units
        narrow = BOTTLENECK * units if kind == "dense" else units
        if kind == "residual":
            self.entry = keras.layers.Dense(
                units, name="entry", **shared, **kernel_options()
            )
        self.blocks = []
        for index in range(depth):
            self.blocks.append(
                (
                    keras.layers.LayerNormalization(name=f"norm_{index}", **shared),
                    keras.layers.Dense(
                        narrow, name=f"mix_{index}", **shared, **kernel_options()
                    ),
                    keras.layers.LayerNormalization(name=f"norm_in_{index}", **shared),
                    GridConvolution(
                        units,
                        rows,
                        columns,
                        name=f"convolution_{index}",
                        **shared,
                        **kernel_options(),
                    ),
                )
            )
        self.drop = keras.layers.Dropout(dropout[0], seed=dropout[1], **shared)

    def build(self, inputs_shape):
        width = inputs_shape[-1]
        if self.kind == "residual":
            self.entry.build((None, width))
            width = self.units
        for norm, mix, norm_in, convolution in self.blocks:
            norm.build((None, None, None, width))
            mix.build((None, width))
            norm_in.build((None, None, None, mix.units))
            convolution.build((None, None, None, mix.units))
            width = width + self.units if self.kind == "dense" else self.units
        self.built = True

    def output_width(self, width):
        """Channels out for so many channels in."""
        if self.kind == "residual":
            return self.units
        return width + len(self.blocks) * self.units

    def call(self, grid, cells=None, training=None):
        def convolve(convolution, inputs, _):
            return convolution(inputs)

        return self._walk(grid, cells, convolve, training)

    def before(self, batch, columns):
        """What ``step`` needs of the rows before the first, a tensor per block."""
        return [block[-1].before(batch, columns) for block in self.blocks]

    def step(self, row, cells, before):
        """One target row (B, 1, S, C): its output, and the rows for the next step."""
        after = []

        def convolve(convolution, inputs, index):
            output, rows = convolution.step(
                inputs, ops.cast(before[index], inputs.dtype)
            )
            after.append(rows)
            return output

        return self._walk(row, cells, convolve, training=False), after

    def _walk(self, grid, cells, convolve, training):
        """Through all blocks, with a way to convolve."""
        if self.kind == "residual":
            grid = self.entry(grid)
        for index, (norm, mix, norm_in, convolution) in enumerate(self.blocks):
            inner = norm_in(mix(ops.relu(norm(grid))))
            inner = hide_cells(ops.relu(inner), cells)
            new = self.drop(convolve(convolution, inner, index), training=training)
            if self.kind == "dense":
                grid = ops.concatenate([grid, new], axis=-1)
            else:
                grid = grid + new
        return hide_cells(grid, cells)
