"""Length one, so that scores are cosines; how sharp, each head learns."""

import keras
from keras import ops

from regard.core.norms.part import Norm
from regard.core.scores import unit, widen

__all__ = ["Unit"]


@keras.saving.register_keras_serializable("regard")
class Unit(Norm):
    r"""$s_{ij} = g_h \cos(q_i, k_j)$: never larger than the learned $g_h$ (H,).

    Replaces $1/\sqrt{d}$. Henry, Dachapally, Pawar, Chen 2020, "Query-Key Normalization
    for Transformers", arXiv:2010.04245, where one g serves all heads.

    Args:
        sharpness: where g starts. The paper takes $\log_2(L^2 - L)$ for sequences of
            length L.
        learn: whether g is trained.
    """

    name = "qk_unit"

    def __init__(self, sharpness=10.0, learn=True):
        self.sharpness, self.learn = float(sharpness), bool(learn)

    def build(self, owner, num_heads, width, name="query"):
        if name != "query" or not self.learn:
            return ()
        start = keras.initializers.Constant(self.sharpness)
        return (owner.add_weight((num_heads,), name="sharpness", initializer=start),)

    def __call__(self, vectors, *parameters):
        turned = unit(vectors)
        if parameters:
            turned = turned * ops.reshape(widen(parameters[0]), (1, -1, 1, 1))
        return ops.cast(turned, vectors.dtype)

    def scale(self, width):
        return 1.0 if self.learn else self.sharpness

    def get_config(self):
        return {"sharpness": self.sharpness, "learn": self.learn}
