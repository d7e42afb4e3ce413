"""Handing over what one of Keras' own layers computed."""

from keras import ops

from regard.core.shapes import sizes_of, taken
from regard.recording import recorders


def deliver(layer, masks, tensors, mask, look) -> None:
    """To whoever listens; masks are of one call, ``look`` gives its tables."""
    parts = dict(masks) or ({} if mask is None else {"user": mask})
    masks.clear()
    sizes = *sizes_of(tensors["query"])[:3], sizes_of(tensors["key"])[2]
    for listener in recorders(layer):
        tables = look() if listener.reduce is None else listener.reduce(sizes, look)
        listener.receive(layer, {**tables, **tensors, "masks": parts})


def tables_of(scores, weights, mask):
    """What a look at some rows gives; a missing mask hides nothing."""
    if mask is None:
        mask = ops.ones((1,) * 4, dtype="bool")
    return {"scores": scores, "weights": weights, "mask": mask}


def taken_rows(tables, numbers):
    return {name: taken(table, numbers, 2) for name, table in tables.items()}


def of_rank(mask, rank, axis=-3):
    while len(mask.shape) < rank:
        mask = ops.expand_dims(mask, axis)
    return mask


def boolean(mask):
    return ops.cast(mask, "bool")
