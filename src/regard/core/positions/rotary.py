"""Places as rotations."""

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.positions.scaling import Scaling, get_scaling
from regard.core.scores import widen

__all__ = ["RoPE", "rotated"]

_PAIRS = ("half", "interleaved")


@keras.saving.register_keras_serializable("regard")
class RoPE(Position):
    r"""Pairs of features turn by $p\,\theta_i,\ \theta_i = \text{base}^{-2i/d}$.

    Then $q_i^\top k_j$ depends on $p_i - p_j$ alone. ``pairing="half"`` pairs feature i
    with i + d/2 (Llama, Keras Hub), ``"interleaved"`` 2i with 2i + 1 (the paper's
    order, DeepSeek). Only the first ``width`` features turn. Needs no weights and is
    computed in float32.

    Su et al. 2021, "RoFormer", arXiv:2104.09864, sections 3.2.2 and 3.4.2.

    Args:
        base: the slowest turn takes about $2\pi\cdot$ base positions.
        pairing: "half" or "interleaved".
        width: how many features turn, None for all.
        scaling: a ``regard.positions`` scaling (``Linear``, ``NTK``, ``YaRN``,
            ``Llama3``) for contexts longer than were trained, None for none.

    Raises:
        ValueError: for an odd width, an unknown pairing or scaling.
    """

    def __init__(self, base=10000.0, pairing="half", width=None, scaling=None):
        if pairing not in _PAIRS:
            raise ValueError(f"pairing must be one of {_PAIRS}. Got {pairing!r}.")
        if width is not None and (width < 2 or width % 2):
            raise ValueError(f"width must be even and positive. Got {width!r}.")
        self.base, self.pairing, self.width = float(base), pairing, width
        self.scaling: Scaling | None = get_scaling(scaling)

    def build(self, owner, num_heads, width, value_width=None):
        turning = self.width or width
        if turning % 2 or turning > width:
            raise ValueError(
                "RoPE turns pairs: width must be even and at most that of a query, "
                f"{width}. Got {turning}."
            )
        return ()

    def rotate(self, vectors, positions, *parameters):
        turning = self.width or vectors.shape[-1]
        frequencies, size = self._frequencies(turning)
        places = ops.expand_dims(ops.cast(positions, "float32"), -1)
        angles = places * ops.convert_to_tensor(frequencies, dtype="float32")
        while len(angles.shape) < 3:
            angles = ops.expand_dims(angles, 0)
        angles = ops.expand_dims(angles, 1)  # (B|1, 1, T, d/2)
        first, rest = vectors[..., :turning], vectors[..., turning:]
        turned = rotated(widen(first), angles, self.pairing) * size
        turned = ops.cast(turned, vectors.dtype)
        if rest.shape[-1] == 0:
            return turned
        return ops.concatenate([turned, rest], axis=-1)

    def _frequencies(self, width):
        plain = [self.base ** (-2.0 * i / width) for i in range(width // 2)]
        if self.scaling is None:
            return plain, 1.0
        return self.scaling.frequencies(plain, self.base, width), self.scaling.size()

    def get_config(self):
        return {
            "base": self.base,
            "pairing": self.pairing,
            "width": self.width,
            "scaling": self.scaling
            and keras.saving.serialize_keras_object(self.scaling),
        }


def rotated(vectors, angles, pairing):
    """Turn every pair of features by its angle; ``angles`` (…, T, d/2)."""
    cosine, sine = ops.cos(angles), ops.sin(angles)
    half = vectors.shape[-1] // 2
    if pairing == "half":
        left, right = vectors[..., :half], vectors[..., half:]
    else:
        left, right = vectors[..., 0::2], vectors[..., 1::2]
    new = (left * cosine - right * sine, right * cosine + left * sine)
    if pairing == "half":
        return ops.concatenate(new, axis=-1)
    return ops.reshape(ops.stack(new, axis=-1), ops.shape(vectors))
