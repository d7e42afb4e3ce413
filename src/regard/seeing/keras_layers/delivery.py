"""Handing over what one of Keras' own layers computed."""

import keras
from keras import ops

from regard.core.shapes import sizes_of, taken
from regard.recording import recorders

_BESIDE = ("unconfirmed", "sinks")  # what is no table of all pairs


def deliver(layer, masks, tensors, mask, look, sizes=None) -> None:
    """To whoever listens; masks are of one call, ``look`` gives its tables."""
    parts = dict(masks) or ({} if mask is None else {"user": mask})
    masks.clear()
    if sizes is None:
        sizes = *sizes_of(tensors["query"])[:3], sizes_of(tensors["key"])[2]
    for listener in recorders(layer):
        tables = look() if listener.reduce is None else listener.reduce(sizes, look)
        extra = dict(tensors.get("extra", {}))
        extra |= {name: tables.pop(name) for name in _BESIDE if name in tables}
        listener.receive(layer, {**tables, **tensors, "masks": parts, "extra": extra})


def tables_of(scores, weights, mask):
    """What a look at some rows gives; a missing mask hides nothing."""
    if mask is None:
        mask = ops.ones((1,) * 4, dtype="bool")
    return {"scores": scores, "weights": weights, "mask": mask}


def tables_of_softmax(scores, weights, mask):
    """What a softmax saw and gave, with one axis for heads: (B, H, T, S)."""
    shape = ops.shape(weights)
    mask = shown_by(scores) if mask is None else boolean(mask)
    mask = of_rank(mask, len(shape))
    if len(shape) == 5:  # (B, groups, heads, T, S), in the order of the queries
        mask = ops.broadcast_to(mask, shape)
        scores, weights, mask = (
            ops.reshape(each, (shape[0], -1, *shape[-2:]))
            for each in (scores, weights, mask)
        )
    return tables_of(scores, weights, mask)


def taken_rows(tables, numbers):
    return {name: taken(table, numbers, 2) for name, table in tables.items()}


def of_rank(mask, rank, axis=-3):
    while len(mask.shape) < rank:
        mask = ops.expand_dims(mask, axis)
    return mask


def shown_by(added):
    """The mask that large negative numbers in scores, or added to them, stand for.

    Half precision takes -10,000 for it, the others -1e9.
    """
    wide = keras.backend.standardize_dtype(added.dtype) in ("float32", "float64")
    return added > (-1e8 if wide else -9e3)


def boolean(mask):
    return ops.cast(mask, "bool")
