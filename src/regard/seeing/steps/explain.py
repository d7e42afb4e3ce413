"""How a number of a trace came about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from regard.cards import Card, card, check_language
from regard.layers.traceable import Traceable, answer_of, as_trace, inputs_of, to_numpy
from regard.seeing.capture import capture
from regard.seeing.keras_layers import mechanism_of
from regard.seeing.steps.entries import card_of_class, shared
from regard.seeing.steps.facts import subject_of
from regard.seeing.steps.losses import trace_of_loss
from regard.seeing.steps.phrases import phrases
from regard.seeing.steps.sizes import Place, sizes_of
from regard.seeing.steps.step import Steps
from regard.seeing.steps.telling import Telling
from regard.seeing.steps.translating import in_our_terms
from regard.trace import Trace

__all__ = ["explain"]


def explain(
    trace_or_layer: Any,
    *inputs: Any,
    query: int = 0,
    head: int = 0,
    example: int = 0,
    language: str = "en",
    query_tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    **options: Any,
) -> Steps:
    """How the output at one query came about, step by step.

        trace = layer.trace(query, value)
        print(regard.explain(trace, query=3, language="ru"))

    Each step has a title, a sentence, the formula, the same formula with this row's
    numbers, shapes, and a check: what was recomputed in float64 beside what the layer
    recorded.

    Args:
        trace_or_layer: a ``Trace``, or a layer, which is called with ``inputs`` and
            ``options`` to make one.
        *inputs: of the layer's call.
        query: number of the query, from the end where negative; of an image's pixel
            row * width + column, of a recurrent layer's step, of a graph's node.
        head: number of the head, likewise.
        example: number of the example, likewise.
        language: "en" or "ru".
        query_tokens: what stands at the queries' places, for the sentences.
        key_tokens: what stands at the keys' places.
        **options: of the layer's call.

    Raises:
        ValueError: for an unknown language, a row that is not there, a trace without
            weights, or a layer that no card explains.
    """
    check_language(language)
    trace = trace_of(trace_or_layer, inputs, options)
    _check_whole(trace)
    _check_filled(trace)
    trace = in_our_terms(trace)
    found = card_of(trace, trace_or_layer)
    if trace.settings["whose"] == "other":
        found = replace(found, steps=shared()["read_off"])
    if "key_positions" in trace.extra:  # the memory is a cache, not what came in
        found = replace(found, steps=(*card("key_value_cache").steps, *found.steps))
        trace = replace(trace, inputs={})
    sizes = sizes_of(trace)
    place = Place(
        _number("example", example, sizes["B"]),
        _number("head", head, sizes["H"]),
        _number("query", query, sizes["T"]),
    )
    tokens = (query_tokens, key_tokens)
    telling = Telling.of(trace, place, tokens, language)
    words = phrases(language)
    steps = tuple(telling.steps(found))
    subject = subject_of(telling.facts, words, sizes)
    title = found.text(language).title
    return Steps(title, subject, steps, language, words, telling.facts)


def _check_whole(trace: Trace) -> None:
    """Only a trace with all its rows and heads can be explained."""
    kinds = {"rows": "chosen rows", "heads": "chosen heads", "received": "an outline"}
    kept = [kind for name, kind in kinds.items() if name in trace.extra]
    if kept:
        raise ValueError(
            f"trace must be whole. Got one of which a capture kept {kept[0]}; capture "
            "it without rows= and heads= and, where it is long, with whole=True."
        )


def _check_filled(trace: Trace) -> None:
    """A trace of no examples, queries or keys has no row."""
    given = {f"input {name}": each for name, each in trace.inputs.items()}
    recorded = {"weights": trace.weights, "output": trace.output}
    for name, array in {**given, **recorded}.items():
        if array is not None and 0 in np.shape(array):
            raise ValueError(
                "trace must hold at least one example, query and key. "
                f"Got one whose {name} has shape {np.shape(array)}."
            )


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
        answer = layer(*inputs, **{"training": False, **options})
    [trace], *_ = maps.values()
    return replace(trace, output=answer_of(answer))


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


def card_of(trace: Trace, layer: Any) -> Card:
    """The card that says how the mechanism computes.

    Raises:
        ValueError: where there is none with steps.
    """
    try:
        found = card(trace.mechanism)
    except ValueError:
        found = None
    if found is None or not found.steps:
        raise ValueError(
            "trace_or_layer must be of a mechanism whose card has steps. "
            f"Got {trace.mechanism or type(layer).__name__!r}."
        )
    return found


def _number(name: str, given: int, size: int) -> int:
    if not isinstance(given, (int, np.integer)) or not -size <= given < size:
        raise ValueError(
            f"{name} must be a whole number from {-size} to {size - 1}. Got {given!r}."
        )
    return int(given) % size
