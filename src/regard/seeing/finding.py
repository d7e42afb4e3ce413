"""The attention layers of a model: those that can be read, and those that cannot."""

import warnings
from collections.abc import Iterator
from typing import Any

import keras

from regard.layers.traceable import Traceable
from regard.seeing.keras_layers import mechanism_of, why_unread


def attention_layers(model) -> dict[str, Any]:
    """Every attention layer inside a model by its path, in the model's order."""
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"model must be a Keras model or layer. Got {type(model).__name__}."
        )
    found: dict[str, Any] = {}
    layers = [each for each in _in_order(model) if _is_attention(each)]
    ours = [each for each in layers if isinstance(each, Traceable)]
    reported = {id(inner) for layer in ours for inner in layer.reports_for()}
    for layer in layers:
        if id(layer) not in reported:
            base = layer.path or layer.name
            count = sum(name.split("#")[0] == base for name in found)
            found[base if not count else f"{base}#{count + 1}"] = layer
    return found


def _in_order(model) -> Iterator[Any]:
    """The model and the layers inside it, each once, as they follow each other.

    Keras' own ``_flatten_layers`` turns round those that stand inside a layer.
    """
    known: set[int] = set()
    waiting = [model]
    while waiting:
        layer = waiting.pop()
        if id(layer) not in known:
            known.add(id(layer))
            yield layer
            waiting.extend(reversed(layer._layers))


def _is_attention(layer) -> bool:
    return isinstance(layer, Traceable) or mechanism_of(layer) is not None


def choose(found, layers) -> dict[str, Any]:
    """The layers that were asked for."""
    if not found:
        raise ValueError(
            "model must contain an attention layer of regard.layers or keras.layers. "
            "Got a model without one."
        )
    if layers is None:
        return found
    wanted = [layers] if isinstance(layers, str) else list(layers)
    chosen = {
        name: layer
        for name, layer in found.items()
        if name in wanted or layer.name in wanted
    }
    known = {*chosen, *(layer.name for layer in chosen.values())}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ValueError(
            f"layers must name attention layers of the model: {', '.join(found)}. "
            f"Got {', '.join(map(repr, missing))}."
        )
    return chosen


def unread_layers(model) -> dict[str, str]:
    """Path -> why, of layers that are named after attention and cannot be read.

    A warning names them. What stands inside a layer that is read, or around one, is
    read with it.
    """
    layers = [*_in_order(model)]
    read = [each for each in layers if _is_attention(each)]
    known = {id(inner) for each in read for inner in each._flatten_layers()}
    unread = {}
    for layer in layers:
        inside = {id(each) for each in layer._flatten_layers()}
        if _is_named_after_attention(layer) and not inside & known:
            unread[layer.path or layer.name] = why_unread(layer)
    for path, reason in unread.items():
        warnings.warn(f"{path} is not captured: {reason}.", stacklevel=4)
    return unread


def _is_named_after_attention(layer) -> bool:
    name = type(layer).__name__
    return "Attention" in name and "Mask" not in name
