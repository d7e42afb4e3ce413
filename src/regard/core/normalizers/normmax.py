"""The longest row that a norm allows."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, attended, hide, shifted

_STEPS = 40


@keras.saving.register_keras_serializable("regard")
class Normmax(Normalizer):
    r"""$a_j \propto [s_j - \tau]_+^{1/(\alpha - 1)}$ with $\tau$ such that
    $\sum_j [s_j - \tau]_+^{\alpha/(\alpha - 1)} = 1$.

    It maximizes $a^\top s - \lVert a \rVert_\alpha$ over all distributions: the larger
    $\alpha$, the more the chosen keys are weighed alike. Zeros are exact.

    Santos et al. 2024, "Sparse and structured Hopfield networks",
    arXiv:2402.13725.

    Args:
        alpha: above 1.

    Raises:
        ValueError: where alpha is not above 1.
    """

    name = "normmax"

    def __init__(self, alpha=2.0):
        if not alpha > 1:
            raise ValueError(f"alpha must be above 1. Got {alpha!r}.")
        self.alpha = float(alpha)

    def __call__(self, scores, mask=None, *parameters):
        seen = attended(scores, mask)
        moved = ops.where(seen, shifted(scores, mask), ops.zeros_like(scores))
        fixed = ops.stop_gradient(moved)
        threshold = self._threshold(fixed, seen)  # in [-1, 0)
        found = self._powers(fixed - threshold, seen)
        share = found / _filled(ops.sum(found, axis=-1, keepdims=True))
        # The threshold moves with the scores as they are weighed.
        drift = ops.sum(share * (moved - fixed), axis=-1, keepdims=True)
        powers = self._powers(moved - threshold - drift, seen)
        return powers / _filled(ops.sum(powers, axis=-1, keepdims=True))

    def _powers(self, excess, seen):
        """[x]_+ ^ (1 / (alpha - 1)), with gradient 0 where it is 0."""
        inside = ops.logical_and(seen, excess > 0)
        safe = ops.where(inside, excess, ops.ones_like(excess))
        return hide(ops.exp(ops.log(safe) / (self.alpha - 1.0)), inside)

    def _threshold(self, scores, seen):
        low = ops.full_like(scores[..., :1], -1.0)
        width = ops.ones_like(low)
        for _ in range(_STEPS):
            width = width / 2.0
            excess = scores - low - width
            norm = self._powers(excess, seen) * ops.maximum(excess, 0.0)
            total = ops.sum(norm, axis=-1, keepdims=True)
            low = ops.where(total >= 1.0, low + width, low)
        return low

    def get_config(self):
        return {"alpha": self.alpha}


def _filled(total):
    """The sum of a row, 1 where the row is empty."""
    return ops.where(total == 0, ops.ones_like(total), total)
