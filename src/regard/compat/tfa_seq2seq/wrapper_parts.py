"""The state of the wrapper, and the small things it is made of."""

from typing import Any, NamedTuple

import keras
from keras import ops

from regard.core.masks import position_mask
from regard.core.shapes import sizes_of

__all__ = ["AttentionWrapperState", "joined", "kept", "listed", "revived"]


class AttentionWrapperState(NamedTuple):
    """What passes from step to step; every leaf has the batch first.

    ``cell_state``: the cell's states, flat. ``attention`` (B, A): the attention
    vectors of the step before, joined. ``alignments``: its weights (B, S), one for each
    mechanism. ``alignment_history``: the weights of all steps (B, T, S), after a loop
    with ``alignment_history=True``, else empty. ``attention_state``: the mechanisms'.
    """

    cell_state: Any
    attention: Any
    alignments: Any
    alignment_history: Any
    attention_state: Any

    def clone(self, **changed):
        """The state with some fields replaced."""
        return self._replace(**changed)


def joined(inputs, attention):
    """Inputs and attention, one after the other."""
    return ops.concatenate([inputs, attention], axis=-1)


def listed(given):
    """A list of one or more."""
    return list(given) if isinstance(given, (list, tuple)) else [given]


def revived(function):
    """A function from itself or its configuration."""
    if isinstance(function, dict):
        return keras.saving.deserialize_keras_object(function)
    return function


def kept(memory, lengths, mask):
    """Which places of a memory are real (B, S), by lengths, by a mask, or None."""
    batch, length = sizes_of(memory)[:2]
    if mask is not None:
        mask = position_mask(mask, "memory_mask", batch, length)
    if lengths is None:
        return mask
    places = ops.arange(length, dtype="int32")
    within = places[None] < ops.cast(lengths, "int32")[:, None]
    return within if mask is None else ops.logical_and(within, mask)
