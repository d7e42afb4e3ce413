"""All weight on one key."""

import keras
from keras import ops

from regard.core.normalizers.part import LOWEST, Normalizer, hide
from regard.core.normalizers.softmax import Softmax


@keras.saving.register_keras_serializable("regard")
class Hardmax(Normalizer):
    r"""$a_j = 1$ where $s_j$ is the largest visible score, 0 elsewhere.

    The first of several equal scores is taken. No gradient reaches the scores; values
    are trained as usual. The limit of softmax for ever larger scores, and
    ``probability_fn="hardmax"`` of TensorFlow Addons.

    Args:
        straight_through: let scores have the gradient that softmax would give them.
    """

    name = "hardmax"
    tables = 2.25

    def __init__(self, straight_through=False):
        self.straight_through = bool(straight_through)

    def __call__(self, scores, mask=None, *parameters):
        seen = scores
        if mask is not None:
            seen = ops.where(mask, scores, ops.full_like(scores, LOWEST))
        places = ops.arange(ops.shape(seen)[-1], dtype="int32")
        top = ops.max(seen, axis=-1, keepdims=True, initial=LOWEST)
        behind = ops.full_like(places, _BEHIND)
        first = ops.min(
            ops.where(seen >= top, places, behind),
            axis=-1,
            keepdims=True,
            initial=_BEHIND,
        )
        chosen = ops.cast(places == first, scores.dtype)
        chosen = ops.stop_gradient(hide(chosen, mask))
        if not self.straight_through:
            return chosen
        soft = Softmax()(scores, mask)
        return chosen + (soft - ops.stop_gradient(soft))

    def get_config(self):
        return {"straight_through": self.straight_through}


_BEHIND = (1 << 31) - 1  # a place behind all others
