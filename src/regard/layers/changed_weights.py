"""Changed weights in layers that make them in other ways than row by row."""

from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of


def shown_keys(layer, changes):
    """(B | 1, H | 1, S), True = no change hides the key, or None; notes the changes.

    Of layers that take in each key once, for all queries that come.

    Raises:
        ValueError: a change that hides keys from some queries only.
    """
    shown = None
    for change in changes:
        shown = change.narrowed(shown)
    if shown is None:
        return None
    while len(shown.shape) < 4:
        shown = ops.expand_dims(shown, 0)
    if shown.shape[2] != 1:
        raise ValueError(
            f"shown must be the same for all queries of {layer.name!r} "
            f"({type(layer).__name__}), which takes in each key once for all that "
            f"follow: of shape (B, H, 1, S). Got {tuple(shown.shape)}."
        )
    return shown[:, :, 0]


def without_hidden(layer, parts, changes):
    """Parts (B, H, T, ·) of a recurrence in which hidden keys write and forget nothing.

    As padding does, but they still ask.
    """
    shown = shown_keys(layer, changes)
    if shown is None:
        return parts
    found = {
        name: each
        if name == "query"
        else ops.where(shown[..., None], each, ops.zeros_like(each))
        for name, each in parts.items()
    }
    return {**found, "asking": parts["real"]} if "real" in parts else found


def changed_reading(parts, weights, context, mask, changes):
    """Weights (B, H, T, T) and context (B, H, T, V) after the changes.

    The context is linear in the values, so what other weights read is added to it.
    """
    length = sizes_of(weights)[2]
    seen = ops.tril(ops.ones((1, 1, length, length), dtype="bool"))
    if mask is not None:
        seen = seen & mask[:, None, None, :] & mask[:, None, :, None]
    for change in changes:
        if change.shown is not None:
            seen = seen & change.shown
    seen, made = ops.broadcast_to(seen, ops.shape(weights)), weights
    for change in changes:
        weights = change.applied(weights, seen)
    more = ops.matmul(widen(weights) - made, parts["value"])
    return weights, context + ops.cast(more, context.dtype)
