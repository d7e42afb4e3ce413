"""Near keys count more, by a cosine."""

import math

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.scores import widen


@keras.saving.register_keras_serializable("regard")
class CosineReweighting(Position):
    r"""$s_{ij}$ becomes $s_{ij}\cos\frac{\pi (p_i - p_j)}{2M}$.

    As $\cos(a - b) = \cos a\cos b + \sin a\sin b$, queries and keys are written twice,
    times the cosine and the sine of their places, and scores stay products: it keeps
    linear attention linear. Positions must be less than M apart, or scores change sign.

    Qin et al. 2022, "cosFormer", arXiv:2202.08791, where features are ``relu``. In a
    recurrence a position M or more after the first is beyond the scheme: begin a new
    state before. Layers that divide scores by the root of the width divide by that of
    the doubled one.

    Args:
        length: M, at least as long as query and memory.

    Raises:
        ValueError: where the length is not a positive integer.
    """

    copies = 2

    def __init__(self, length):
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise ValueError(f"length must be a positive integer. Got {length!r}.")
        self.length = length

    def rotate(self, vectors, positions, *parameters):
        angles = ops.cast(positions, "float32") * (math.pi / 2 / self.length)
        while len(angles.shape) < 2:
            angles = ops.expand_dims(angles, 0)
        angles = angles[:, None, :, None]  # (B|1, 1, T, 1)
        wide = widen(vectors)
        both = [wide * ops.cos(angles), wide * ops.sin(angles)]
        return ops.cast(ops.concatenate(both, axis=-1), vectors.dtype)

    def get_config(self):
        return {"length": self.length}
