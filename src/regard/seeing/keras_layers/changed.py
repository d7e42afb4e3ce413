"""Changed weights in the place of those that one of Keras' own layers made."""

from keras import ops

from regard.changing import changes_of
from regard.core.normalizers import Softmax
from regard.core.scores import widen


def changed(layer, tables):
    """Weights (B, H, T, S) to read with, of scores, weights and mask as tables.

    A row in which a change leaves nothing to see gets weights 0.
    """
    weights, mask = tables["weights"], tables["mask"]
    changes = changes_of(layer)
    for change in changes:
        mask = change.narrowed(mask)
    if any(change.shown is not None for change in changes):
        weights = Softmax()(widen(tables["scores"]), mask)
    mask = ops.broadcast_to(mask, ops.shape(weights))
    for change in changes:
        weights = change.applied(weights, mask)
    return weights
