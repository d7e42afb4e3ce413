"""Several keys may be read in full."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, attended, hide, shifted

_STEPS = 40


@keras.saving.register_keras_serializable("regard")
class Budget(Normalizer):
    r"""$a_j = \min([s_j - \tau]_+, 1)$ with $\tau$ such that a row sums to ``budget``.

    The closest point to the scores among all rows with entries between 0 and 1 and
    that sum. A budget of 1 is sparsemax. A row that sees no more keys than the budget
    reads each in full.

    ``budget_bisect`` of the package entmax.

    Args:
        budget: the sum of a row, positive.

    Raises:
        ValueError: where budget is not positive.
    """

    name = "budget"
    distribution = False

    def __init__(self, budget=2.0):
        if not budget > 0:
            raise ValueError(f"budget must be positive. Got {budget!r}.")
        self.budget = float(budget)

    def __call__(self, scores, mask=None, *parameters):
        seen = attended(scores, mask)
        moved = ops.where(seen, shifted(scores, mask), ops.zeros_like(scores))
        threshold = self._threshold(ops.stop_gradient(moved), seen)
        excess = moved - ops.stop_gradient(threshold)
        inside = ops.logical_and(seen, ops.logical_and(excess > 0, excess < 1))
        share = ops.cast(inside, scores.dtype)
        share = share / ops.maximum(ops.sum(share, axis=-1, keepdims=True), 1.0)
        # The threshold moves with the mean of the scores that are neither 0 nor full.
        drift = share * (moved - ops.stop_gradient(moved))
        excess = excess - ops.sum(drift, axis=-1, keepdims=True)
        zero, one = ops.zeros_like(excess), ops.ones_like(excess)
        return hide(ops.where(inside, excess, ops.where(excess > 0, one, zero)), seen)

    def _threshold(self, scores, seen):
        """tau by halving, then in closed form from who is inside."""
        lowest = ops.min(ops.where(seen, scores, 0.0 * scores), axis=-1, keepdims=True)
        low, width = lowest - 1.0, 1.0 - lowest

        def weights(threshold):
            return hide(ops.clip(scores - threshold, 0.0, 1.0), seen)

        for _ in range(_STEPS):
            width = width / 2.0
            total = ops.sum(weights(low + width), axis=-1, keepdims=True)
            low = ops.where(total >= self.budget, low + width, low)
        found = weights(low)
        inside = ops.logical_and(found > 0, found < 1)
        count = ops.sum(ops.cast(inside, scores.dtype), axis=-1, keepdims=True)
        full = ops.sum(ops.cast(found >= 1, scores.dtype), axis=-1, keepdims=True)
        total = ops.sum(hide(scores, inside), axis=-1, keepdims=True)
        exact = (total + full - self.budget) / ops.maximum(count, 1.0)
        return ops.where(count > 0, exact, low)

    def get_config(self):
        return {"budget": self.budget}
