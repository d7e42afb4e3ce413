"""Reading a grid by the largest or the mean of its sources."""

import keras

from regard.core.grids import largest, mean
from regard.layers.images.grid_layer import GridReader
from regard.layers.images.image_layer import one_of

POOLS = {"max": largest, "average": mean}


@keras.saving.register_keras_serializable("regard")
class GridPooling(GridReader):
    r"""$y_{tc} = \max_s x_{tsc}$, or the mean, over the real sources s.

    Grid (B, T, S, C) in, (B, T, C) out. The weights (B, T, S) of a maximum are the
    share of channels that took each source; they show where it looked and carry no
    gradient. Padding (``mask`` (B, S)) takes no part; a row without a real source gives
    zeros.

    Elbayad, Besacier, Verbeek 2018, "Pervasive attention: 2D convolutional neural
    networks for sequence-to-sequence prediction", arXiv:1808.03867.

    Args:
        pool: "max" or "average".
        prefixes: a reading for every source place, of the sources up to it; this costs
            S times the memory.
        **options: of every layer.

    Raises:
        ValueError: where the input is no grid, or an option is wrong.
    """

    mechanism = "grid_pooling"
    has_kernels = False

    def __init__(self, pool="max", prefixes=False, **options):
        super().__init__(prefixes, **options)
        self.pool = one_of("pool", pool, tuple(POOLS))

    def read(self, grid, seen):
        pooled, weights = POOLS[self.pool](grid, seen)
        return pooled, {"weights": weights}

    def get_config(self):
        return {**super().get_config(), "pool": self.pool}
