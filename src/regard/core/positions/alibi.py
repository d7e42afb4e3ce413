"""Distance as a penalty, one slope per head."""

import math

import keras
from keras import ops

from regard.core.positions.distances import unsigned
from regard.core.positions.part import Position
from regard.core.scopes import Grid

__all__ = ["ALiBi", "slopes"]


@keras.saving.register_keras_serializable("regard")
class ALiBi(Position):
    r"""$b_{hij} = -m_h\,|p_i - p_j|$: the further away, the less.

    $m_h = 2^{-8h/H}$ for H heads, $h = 1 \ldots H$, when H is a power of two; otherwise
    those of the next smaller power and every second one of the next larger. The paper
    is causal, so there $i \ge j$; with $|\cdot|$ it is right in both directions and
    under every normalizer.

    Press, Smith, Lewis 2021, arXiv:2108.12409, section 3.

    Args:
        scale: multiplies the slopes.
        exponent: the 8 of the formula.
        slopes: one number per head, instead of the formula's.

    Raises:
        ValueError: at the first call, where there is not one slope per head.
    """

    relative = True

    def __init__(self, scale=1.0, exponent=8.0, slopes=None):
        self.scale, self.exponent = float(scale), float(exponent)
        self.slopes = None if slopes is None else tuple(map(float, slopes))

    def build(self, owner, num_heads, width, value_width=None):
        if self.slopes is not None and len(self.slopes) != num_heads:
            raise ValueError(
                f"slopes must be one number per head, {num_heads}. Got {self.slopes}."
            )
        return ()

    def bias(self, query, key, grid: Grid, *parameters):
        heads = query.shape[1]
        steep = self.slopes or slopes(heads, self.exponent)
        steep = [self.scale * each for each in steep]
        steep = ops.convert_to_tensor(steep, dtype="float32")
        return -ops.reshape(steep, (1, heads, 1, 1)) * unsigned(grid)

    def get_config(self):
        return {"scale": self.scale, "exponent": self.exponent, "slopes": self.slopes}


def slopes(heads: int, exponent: float = 8.0) -> list[float]:
    """The slope of every head, the paper's sequence for any number of heads."""
    power = 2 ** math.floor(math.log2(heads))
    first = [2.0 ** (-exponent * (h + 1) / power) for h in range(power)]
    step = exponent / (2 * power)
    between = [2.0 ** (-step * (h + 1)) for h in range(0, 2 * power, 2)]
    return (first + between)[:heads]
