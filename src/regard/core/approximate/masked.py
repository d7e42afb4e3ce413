"""Softmax of scaled products where whole queries and whole keys may be hidden."""

from keras import ops

from regard.core.normalizers import Softmax
from regard.core.scores import scaled_dot

_SOFTMAX = Softmax()


def softmax_of(query, key, scale, queries=None, keys=None):
    """Weights (…, T, S) over ``keys`` (…, S), zero rows for hidden ``queries`` (…, T).

    ``query`` (…, T, D) and ``key`` (…, S, D) have four axes, masks three or None.
    """
    scores = scaled_dot(query, key, scale)
    mask = None
    if keys is not None:
        mask = ops.expand_dims(keys, -2)
    if queries is not None:
        rows = ops.expand_dims(queries, -1)
        mask = rows if mask is None else ops.logical_and(rows, mask)
    if mask is not None:
        mask = ops.broadcast_to(mask, ops.shape(scores))
        scores = ops.where(mask, scores, ops.zeros_like(scores))
    return _SOFTMAX(scores, mask)


def only(tensor, mask):
    """Zero where the mask (B, T) or (B, H, T) hides a row of (B, H, T, D)."""
    if mask is None:
        return tensor
    if len(mask.shape) == 2:
        mask = ops.expand_dims(mask, 1)
    return ops.where(ops.expand_dims(mask, -1), tensor, ops.zeros_like(tensor))
