"""Only the best keys of a row."""

import keras
from keras import ops

from regard.core.normalizers.part import LOWEST, Normalizer
from regard.core.normalizers.softmax import Softmax
from regard.core.shapes import is_static


@keras.saving.register_keras_serializable("regard")
class TopK(Normalizer):
    r"""Softmax over the ``k`` largest visible scores of a row; the others get 0.

    Where scores tie with the k-th largest, all of them stay. A row that sees fewer than
    k keys uses all it sees. Zhao et al. 2019, arXiv:1912.11637.

    Args:
        k: how many keys a query reads.

    Raises:
        ValueError: where k is not a positive integer.
    """

    name = "top_k"
    tables = 4.25

    def __init__(self, k=8):
        if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
            raise ValueError(f"k must be a positive integer. Got {k!r}.")
        self.k = int(k)

    def __call__(self, scores, mask=None, *parameters):
        seen = scores
        if mask is not None:
            seen = ops.where(mask, scores, ops.full_like(scores, LOWEST))
        best = seen >= self._last(ops.stop_gradient(seen))
        return Softmax()(scores, best if mask is None else ops.logical_and(best, mask))

    def _last(self, seen):
        """The k-th largest of every row, or the least of a shorter row; (…, 1)."""
        length = seen.shape[-1]
        if is_static(length) and length:
            return ops.top_k(seen, min(self.k, length))[0][..., -1:]
        ordered = ops.flip(ops.sort(seen, axis=-1), axis=-1)
        places = ops.arange(ops.shape(ordered)[-1])
        last = ops.where(places < self.k, ordered, ops.full_like(ordered, -LOWEST))
        return ops.min(last, axis=-1, keepdims=True, initial=-LOWEST)

    def get_config(self):
        return {"k": self.k}
