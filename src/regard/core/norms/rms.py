"""Length sqrt(d), and a gain for every feature."""

import keras
from keras import ops

from regard.core.norms.part import Norm
from regard.core.scores import widen

__all__ = ["RMS", "rms"]


@keras.saving.register_keras_serializable("regard")
class RMS(Norm):
    r"""$x \cdot g / \sqrt{\frac{1}{d}\sum_i x_i^2 + \epsilon}$ for queries and keys.

    The gain $g$ starts at one: (D,) for all heads or, with ``per_head``, (H, D). Root
    mean square norm of Zhang, Sennrich 2019, arXiv:1910.07467, section 4, put on
    queries and keys as in Qwen3.

    Args:
        gain: whether to learn g; without it g is 1.
        per_head: a gain for each head.
        epsilon: keeps the gradient of a zero vector finite.

    Raises:
        ValueError: where per_head is asked for without gain.
    """

    name = "qk_rms"

    def __init__(self, gain=True, per_head=False, epsilon=1e-6):
        if per_head and not gain:
            raise ValueError(
                "per_head must be False where gain is False: there is no gain to keep "
                "apart. Got per_head=True, gain=False."
            )
        self.gain, self.per_head = bool(gain), bool(per_head)
        self.epsilon = float(epsilon)

    def build(self, owner, num_heads, width, name="query"):
        if not self.gain:
            return ()
        shape = (num_heads, width) if self.per_head else (width,)
        return (owner.add_weight(shape, name=f"{name}_gain", initializer="ones"),)

    def __call__(self, vectors, *parameters):
        gain = widen(parameters[0]) if parameters else 1.0
        if self.per_head:
            gain = ops.expand_dims(gain, -2)  # (H, 1, D)
        return ops.cast(rms(vectors, self.epsilon) * gain, vectors.dtype)

    def get_config(self):
        return {"gain": self.gain, "per_head": self.per_head, "epsilon": self.epsilon}


def rms(vectors, epsilon):
    """Vectors over the root of their mean square, in float32 at least."""
    vectors = widen(vectors)
    squares = ops.mean(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(squares + epsilon)
