"""Weights of all words of a document, $b_n a_{nt}$, and how others are read with."""

from contextlib import ExitStack

from keras import ops

from regard.changing import Change, changes_of, changing
from regard.core.scores import widen
from regard.core.shapes import sizes_of


def joint_weights(words, sentences):
    """(B, N, S) and (B, N) -> (B, N, S): what every word weighs in the document."""
    return widen(sentences)[..., None] * widen(words)


def narrowed(layer, mask, shape):
    """The mask (B, N, S) without the words that somebody hides; None hides nothing."""
    row = (shape[0], 1, 1, shape[1] * shape[2])
    for change in changes_of(layer):
        shown = change.narrowed(None if mask is None else ops.reshape(mask, row))
        if shown is not None:
            mask = ops.reshape(ops.broadcast_to(shown, row), shape)
    return mask


def reading_with_changes(layer, words, sentences, mask):
    """While the block runs, the layer's two poolings read with changed weights.

    Changed are the weights of all words. A sentence then has what its words sum to and
    a word its part of that; what the parts of a sentence summed to, they sum to still.
    """
    weights = joint_weights(words, sentences)
    shape = sizes_of(weights)
    row = (shape[0], 1, 1, shape[1] * shape[2])
    table = ops.reshape(weights, row)
    seen = ops.ones(row, "bool") if mask is None else ops.reshape(mask, row)
    for change in changes_of(layer):
        table = ops.cast(change.applied(table, seen), weights.dtype)
    table = ops.reshape(table, shape)
    mass = _divided(ops.sum(table, -1), ops.sum(widen(words), -1))
    parts = ops.reshape(_divided(table, mass[..., None]), (-1, 1, 1, shape[2]))
    stack = ExitStack()
    stack.enter_context(changing(layer.words, _always(parts)))
    stack.enter_context(changing(layer.sentences, _always(mass[:, None, None])))
    return stack


def _always(weights):
    return Change(lambda *_: weights)


def _divided(part, whole):
    """Their ratio; 0 where there is nothing to share out."""
    return part / ops.where(whole > 0, whole, ops.ones_like(whole))
