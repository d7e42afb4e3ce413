"""Keras' own attention layers, read off while they compute.

They keep their scores to themselves. So the tensors that reach the heart of a layer are
looked at there and the weights computed once more, as the layer does without dropout.
What the layer answers is left alone, by whatever kernel it came about.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import keras

from regard.seeing.keras_layers.blocks import change_in_blocks, read_in_blocks
from regard.seeing.keras_layers.changed_hearts import change_at_heart
from regard.seeing.keras_layers.heads import changed_heads, methods_of_heads
from regard.seeing.keras_layers.hearts import read_at_heart
from regard.seeing.keras_layers.hub import (
    at_points,
    hub_mechanism,
    in_blocks,
    why_unread,
)
from regard.seeing.keras_layers.pairs import changed_pairs, methods_of_pairs
from regard.seeing.keras_layers.points import read_at_points
from regard.seeing.replacing import replaced

__all__ = ["changeable", "mechanism_of", "read_off", "why_unread"]

_HEADS = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
_MECHANISMS = {  # the first that a layer is an instance of
    keras.layers.GroupQueryAttention: "grouped_query",
    keras.layers.MultiHeadAttention: "multi_head",
    keras.layers.AdditiveAttention: "additive",
    keras.layers.Attention: "dot",
}
_READ: set[int] = set()  # ids of the layers that are read off now
_CHANGED: set[int] = set()  # and of those that read with changed weights


def mechanism_of(layer: Any) -> str | None:
    """The name of the mechanism of one of these layers, or None of another."""
    if (of_hub := hub_mechanism(layer)) is not None:
        return of_hub
    found = (name for kind, name in _MECHANISMS.items() if isinstance(layer, kind))
    name = next(found, None)
    concat = name == "dot" and getattr(layer, "score_mode", "dot") == "concat"
    return "additive" if concat else name


def read_off(layer: Any) -> AbstractContextManager:
    """Let one of Keras' layers deliver what it computes while the block runs."""
    return _once(_READ, layer, _reading)


def changeable(layer: Any) -> AbstractContextManager:
    """Let one of Keras' layers read with changed weights while the block runs."""
    return _once(_CHANGED, layer, _changing)


@contextmanager
def _once(
    known: set[int], layer: Any, block: Callable[[Any], AbstractContextManager]
) -> Iterator[None]:
    """Of nested blocks the outer one delivers to all who listen, or makes all changes.

    Which ones there are, a layer asks in the middle of its call.
    """
    if id(layer) in known:
        yield
        return
    known.add(id(layer))
    try:
        with block(layer):
            yield
    finally:
        known.discard(id(layer))


def _reading(layer: Any) -> AbstractContextManager:
    if in_blocks(layer):
        return read_in_blocks(layer)
    if at_points(layer):
        return read_at_points(layer)
    if hub_mechanism(layer) is not None:
        return read_at_heart(layer)
    methods = methods_of_heads if isinstance(layer, _HEADS) else methods_of_pairs
    return _with_methods(layer, methods(layer, {}))


def _changing(layer: Any) -> AbstractContextManager:
    if in_blocks(layer):
        return change_in_blocks(layer)
    if at_points(layer):
        return nullcontext()  # where there are no keys, as in ``unchangeable``
    if hub_mechanism(layer) is not None:
        return change_at_heart(layer)
    methods = changed_heads if isinstance(layer, _HEADS) else changed_pairs
    return _with_methods(layer, methods(layer))


@contextmanager
def _with_methods(layer: Any, methods: dict[str, Callable]) -> Iterator[None]:
    with ExitStack() as stack:
        for name, make in methods.items():
            method = make(getattr(layer, name))
            stack.enter_context(replaced(layer, name, method))
        yield
