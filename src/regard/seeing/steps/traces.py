"""The trace that is explained: the one given, or that of a call."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from regard.arguments import check_names
from regard.layers.traceable import Traceable, answer_of, as_trace, inputs_of, to_numpy
from regard.seeing.capture import capture
from regard.seeing.keras_layers import mechanism_of
from regard.seeing.steps.entries import card_of_class
from regard.seeing.steps.losses import trace_of_loss
from regard.trace import Trace

# What any call takes, and what is put into the list that Keras' Attention wants.
_BESIDE = ("training", "mask", "value", "key")


def check_options(
    function: Callable[..., Any], trace_or_layer: Any, options: Mapping[str, Any]
) -> None:
    """Raise for an option that neither the function nor the layer's call takes."""
    if isinstance(trace_or_layer, Trace):
        check_names(function, options, lambda: None)
    elif isinstance(trace_or_layer, keras.layers.Layer):
        check_names(function, options, trace_or_layer.call, _BESIDE)


def trace_of(trace_or_layer: Any, inputs: tuple, options: Mapping[str, Any]) -> Trace:
    """The trace given, or that of a call."""
    if isinstance(trace_or_layer, Trace):
        if inputs or options:
            raise ValueError(
                "inputs and further arguments are of a layer's call; a trace has them "
                f"already. Got {len(inputs)} inputs and {sorted(options)}."
            )
        return trace_or_layer
    layer = trace_or_layer
    if isinstance(layer, keras.layers.Layer) and not (inputs or options):
        raise ValueError(
            "inputs must be what the layer is to be called with. Got none for "
            f"{layer.name!r}; a captured call is explained as maps[name][0]."
        )
    if isinstance(layer, Traceable):
        return layer.trace(*inputs, **options)
    if mechanism_of(layer) is not None:
        return trace_of_keras(layer, inputs, options)
    if not callable(layer):
        raise ValueError(
            "trace_or_layer must be a Trace or a layer. "
            f"Got {type(layer).__name__}; of maps take one call, maps[name][0]."
        )
    return trace_of_call(layer, inputs, options)


def trace_of_keras(layer: Any, inputs: tuple, options: Mapping[str, Any]) -> Trace:
    """One of Keras' own layers, read off; those that want a list get one."""
    options = dict(options)
    if isinstance(layer, keras.layers.Attention) and not isinstance(inputs[0], list):
        named = [options.pop(n) for n in ("value", "key") if n in options]
        inputs = ([*inputs, *named],)
    with capture(layer, whole=True) as maps:
        layer(*inputs, **{"training": False, **options})
    [trace], *_ = maps.values()
    return trace


def trace_of_call(layer: Any, inputs: tuple, options: Mapping[str, Any]) -> Trace:
    """Inputs, weights and answer of a layer that records nothing else."""
    if isinstance(layer, keras.losses.Loss):
        return trace_of_loss(layer, *inputs, **options)
    output = answer_of(layer(*inputs, **options))
    given = to_numpy(inputs_of(layer, inputs, options))
    return as_trace(layer, {"output": output, "inputs": given}, _mechanism_of(layer))


def _mechanism_of(layer: Any) -> str:
    names = [type(each).__name__ for each in (layer, getattr(layer, "cell", None))]
    found = next(filter(None, map(card_of_class, names)), None)
    return getattr(layer, "mechanism", "") or (found.name if found else "")
