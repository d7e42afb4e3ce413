"""How far each head looks, learned."""

import keras
from keras import ops

from regard.core.heads import per_map
from regard.core.positions.distances import check_reach, unsigned
from regard.core.positions.limits import Within
from regard.core.positions.part import Position
from regard.core.scopes import Grid
from regard.core.scores import widen

__all__ = ["AdaptiveSpan"]


@keras.saving.register_keras_serializable("regard")
class AdaptiveSpan(Position):
    r"""Weights times $m_h(x) = \min(\max((R + z_h - x)/R, 0), 1)$, then over their sum.

    x is the distance $|p_i - p_j|$, and $z_h$ = ``reach`` times a weight of shape (H,)
    in [0, 1]: up to $z_h$ a key keeps its weight, R further on it has none. A row that
    has nothing within its span is zero. Combine it with a scheme that says where keys
    are: ``RoPE() + AdaptiveSpan(256)``.

    Sukhbaatar et al. 2019, "Adaptive attention span in transformers", arXiv:1905.07799,
    section 2.2.

    Args:
        reach: the longest span that can be learned.
        ramp: R, over how many places weights fade out.
        start: $z_h$ before training, as a part of ``reach``.
        penalty: times the sum of $z_h$ / ``reach`` is added to the losses, which makes
            heads look no farther than they need.

    Raises:
        ValueError: where a size is not a positive integer, or start is not in [0, 1].
    """

    count = 1
    relative = True

    def __init__(self, reach, ramp=32, start=0.0, penalty=0.0):
        self.reach, self.ramp = check_reach(reach), float(ramp)
        if not self.ramp > 0:
            raise ValueError(f"ramp must be positive. Got {ramp!r}.")
        if not 0 <= start <= 1:
            raise ValueError(f"start must lie in [0, 1]. Got {start!r}.")
        self.start, self.penalty = float(start), float(penalty)

    def build(self, owner, num_heads, width, value_width=None):
        span = owner.add_weight(
            (num_heads,),
            name="span",
            initializer=keras.initializers.Constant(self.start),
            regularizer=keras.regularizers.L1(self.penalty) if self.penalty else None,
            constraint=Within(0.0, 1.0),
        )
        return (span,)

    def reweigh(self, weights, grid: Grid, *parameters):
        span = ops.reshape(widen(parameters[0]), (1, -1, 1, 1)) * self.reach
        fading = ops.clip((self.ramp + span - unsigned(grid)) / self.ramp, 0.0, 1.0)
        fading = per_map(fading, weights.shape[1])
        count = ops.shape(fading)[-1]  # keys of the layer's own follow, never far
        near = weights[..., :count] * fading
        weights = ops.concatenate([near, weights[..., count:]], axis=-1)
        total = ops.sum(weights, axis=-1, keepdims=True)
        return weights / ops.where(total == 0, ops.ones_like(total), total)

    def get_config(self):
        return {
            "reach": self.reach,
            "ramp": self.ramp,
            "start": self.start,
            "penalty": self.penalty,
        }
