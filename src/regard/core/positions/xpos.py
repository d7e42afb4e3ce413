"""Rotations that fade with the distance."""

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.positions.rotary import RoPE
from regard.core.scores import widen

__all__ = ["XPos"]


@keras.saving.register_keras_serializable("regard")
class XPos(Position):
    r"""RoPE, and pair i of a query times $\zeta_i^{p/b}$, of a key $\zeta_i^{-p/b}$.

    $\zeta_i = (2i/D + \gamma)/(1 + \gamma)$ is less than 1, so the product of a query
    and an earlier key shrinks with their distance, the fast pairs first. It would grow
    for later keys: the scheme is meant for causal attention.

    Sun et al. 2022, "A length-extrapolatable Transformer", arXiv:2212.10554.

    Args:
        base, pairing, width: as for ``RoPE``.
        decay_base: b, larger fades more slowly.
        gamma: $\gamma$.
        center: the position with factor 1; one amid the sequence keeps factors small.

    Raises:
        ValueError: as for ``RoPE``, or where decay_base is not positive.
    """

    def __init__(
        self,
        base=10000.0,
        pairing="half",
        width=None,
        decay_base=512.0,
        gamma=0.4,
        center=0,
    ):
        self.rope = RoPE(base, pairing, width)
        if not decay_base > 0:
            raise ValueError(f"decay_base must be positive. Got {decay_base!r}.")
        self.decay_base, self.gamma = float(decay_base), float(gamma)
        self.center = float(center)

    def build(self, owner, num_heads, width, value_width=None):
        return self.rope.build(owner, num_heads, width)

    def place_queries(self, query, positions, *parameters):
        return self._fading(self.rope.rotate(query, positions), positions, 1.0)

    def place_keys(self, key, positions, *parameters):
        return self._fading(self.rope.rotate(key, positions), positions, -1.0)

    def _fading(self, vectors, positions, sign):
        turning = self.rope.width or vectors.shape[-1]
        zeta = [
            (2 * i / turning + self.gamma) / (1 + self.gamma)
            for i in range(turning // 2)
        ]
        zeta = ops.convert_to_tensor(zeta, dtype="float32")
        power = (ops.cast(positions, "float32") - self.center) * sign / self.decay_base
        sizes = ops.exp(ops.expand_dims(power, -1) * ops.log(zeta))  # (…, T, d/2)
        if self.rope.pairing == "half":
            sizes = ops.concatenate([sizes, sizes], axis=-1)
        else:
            sizes = ops.repeat(sizes, 2, axis=-1)
        while len(sizes.shape) < 4:
            sizes = ops.expand_dims(sizes, -3)
        faded = ops.cast(widen(vectors[..., :turning]) * sizes, vectors.dtype)
        rest = vectors[..., turning:]
        if rest.shape[-1] == 0:
            return faded
        return ops.concatenate([faded, rest], axis=-1)

    def get_config(self):
        return {
            "base": self.rope.base,
            "pairing": self.rope.pairing,
            "width": self.rope.width,
            "decay_base": self.decay_base,
            "gamma": self.gamma,
            "center": self.center,
        }
