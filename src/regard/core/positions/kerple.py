"""Distance as a penalty whose curve each head learns."""

import keras
from keras import ops

from regard.core.positions.distances import unsigned
from regard.core.positions.limits import Within
from regard.core.positions.part import Position
from regard.core.scopes import Grid
from regard.core.scores import widen

__all__ = ["Kerple"]

LEAST = 0.01  # of what a head learns
NAMES = ("distance_penalty", "distance_curve")
CURVES = {"log": None, "power": 2.0}  # the most that the second number may be


@keras.saving.register_keras_serializable("regard")
class Kerple(Position):
    r"""$b_{hij} = -r_h \log(1 + u_h\,|p_i - p_j|)$: far keys cost ever less more.

    ``curve="power"`` is $b_{hij} = -r_h\,|p_i - p_j|^{u_h}$ with $u_h \le 2$, of which
    ALiBi is the case of fixed slopes and $u_h = 1$. Both numbers of a head are learned
    and kept at 0.01 at least. Queries may see later keys too: the distance has no sign.

    Chi, Fan, Ramadge, Rudnicky 2022, "KERPLE: Kernelized relative positional embedding
    for length extrapolation", arXiv:2205.09921, section 4, "Practical choice". Equation
    1 there divides the bias by $\sqrt d$, which $r_h$ can learn to do. Least values and
    the start, uniform in (0, 2) for r and (0, 1) for u ("power": the other way round),
    are those of the released code.

    Args:
        curve: "log" or "power".

    Raises:
        ValueError: where the curve is another.
    """

    count = 2
    relative = True

    def __init__(self, curve="log"):
        if curve not in CURVES:
            raise ValueError(
                f"curve must be one of {', '.join(CURVES)}. Got {curve!r}."
            )
        self.curve = curve

    def build(self, owner, num_heads, width, value_width=None):
        spans = (2.0, 1.0) if self.curve == "log" else (1.0, 2.0)
        limits = (None, CURVES[self.curve])
        return tuple(
            owner.add_weight(
                (num_heads,),
                name=name,
                initializer=keras.initializers.RandomUniform(0.0, span),
                constraint=Within(LEAST, most),
            )
            for name, span, most in zip(NAMES, spans, limits, strict=True)
        )

    def bias(self, query, key, grid: Grid, *parameters):
        distance = unsigned(grid)
        size, shape = (ops.reshape(widen(each), (1, -1, 1, 1)) for each in parameters)
        size, shape = Within(LEAST)(size), Within(LEAST, CURVES[self.curve])(shape)
        if self.curve == "log":
            return -size * ops.log(1.0 + shape * distance)
        # No power of 0, whose gradient is not finite; distances are whole numbers.
        grown = ops.exp(shape * ops.log(ops.maximum(distance, 1.0)))
        return -size * ops.where(distance > 0, grown, ops.zeros_like(grown))

    def get_config(self):
        return {"curve": self.curve}
