"""Weights that can be exactly zero without a threshold to find."""

import keras
from keras import ops

from regard.core.normalizers.part import (
    Normalizer,
    hide,
    top_of,
    visible_count,
)


@keras.saving.register_keras_serializable("regard")
class Rectified(Normalizer):
    r"""$a_j = [s_j]_+^p / n$ for the n keys the row sees.

    Rows do not sum to one and may be all zero. Wortsman et al. 2023, arXiv:2309.08586
    (there n is the length of the sequence).

    Args:
        power: p; 1 is ReLU, 2 squared ReLU.
    """

    name = "relu"
    distribution = False
    shift_invariant = False

    def __init__(self, power=1):
        if power not in (1, 2):
            raise ValueError(f"power must be 1 or 2. Got {power!r}.")
        self.power = int(power)

    def __call__(self, scores, mask=None, *parameters):
        positive = ops.relu(scores)
        if self.power == 2:
            positive = ops.square(positive)
        return hide(positive / visible_count(scores, mask), mask)

    def get_config(self):
        return {"power": self.power}


@keras.saving.register_keras_serializable("regard")
class Softpick(Normalizer):
    r"""$a_j = [e^{s_j} - 1]_+ / (\sum_k |e^{s_k} - 1| + \epsilon)$.

    Rows sum to at most one; keys with a score of 0 or below get exactly 0. Numerator
    and denominator are multiplied by $e^{-\max(s, 0)}$, so nothing overflows.
    Zuhri et al. 2025, arXiv:2504.20966.

    Args:
        epsilon: keeps a row of zeros defined.
    """

    name = "softpick"
    tables = 4.0
    distribution = False
    shift_invariant = False

    def __init__(self, epsilon=1e-6):
        self.epsilon = float(epsilon)

    def __call__(self, scores, mask=None, *parameters):
        top = ops.maximum(top_of(scores, mask), 0.0)
        visible = scores if mask is None else ops.where(mask, scores, 0.0 * scores)
        steps = ops.exp(visible - top) - ops.exp(-top)
        total = ops.sum(hide(ops.abs(steps), mask), axis=-1, keepdims=True)
        total = total + self.epsilon * ops.exp(-top)
        return hide(ops.relu(steps) / total, mask)

    def get_config(self):
        return {"epsilon": self.epsilon}
