"""Reading a grid by the largest of its sources, each channel behind a gate."""

import keras
from keras import ops

from regard.core.grids import largest
from regard.layers.images.grid_layer import GridReader


@keras.saving.register_keras_serializable("regard")
class GatedGridPooling(GridReader):
    r"""$y_t = \max_s\, (W_1 x_{ts} + b_1) \odot \sigma(W_2 x_{ts} + b_2)$ over the real
    sources s.

    Grid (B, T, S, C) in, (B, T, C) out; ``gates`` holds $W_1$ and $W_2$ side by side
    (C, 2C). The weights (B, T, S) are the share of channels that took each source; they
    carry no gradient. Padding (``mask`` (B, S)) takes no part; a row without a real
    source gives zeros.

    The reading of the later models of Elbayad, Besacier, Verbeek 2018, "Pervasive
    attention", arXiv:1808.03867; the unit is that of Dauphin et al. 2016,
    arXiv:1612.08083.

    Args:
        prefixes: a reading for every source place, of the sources up to it; this costs
            S times the memory.
        **options: kernel_ initializer, regularizer, constraint; the options of every
            layer.

    Raises:
        ValueError: where the input is no grid.
    """

    mechanism = "gated_grid_pooling"

    def add_weights(self, channels):
        self.gates = self.dense("gates", channels, 2 * channels)

    def read(self, grid, seen):
        plain, gate = ops.split(self.gates(grid), 2, axis=-1)
        pooled, weights = largest(plain * ops.sigmoid(gate), seen)
        return pooled, {"weights": weights}
