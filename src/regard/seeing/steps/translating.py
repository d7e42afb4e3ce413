"""A trace in the terms in which cards speak, whoever's layer it is of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from regard.trace import Trace

_GIVEN = ("query", "value", "key")
# What the configuration of each of Keras' own layers has at least.
_KERAS = {
    "multi_head": {"key_dim", "attention_axes", "use_gate"},
    "grouped_query": {"head_dim", "num_query_heads", "use_gate"},
    "additive": {"use_scale"},
    "deformable": {"levels", "points"},
    "dot": {"use_scale", "score_mode"},
}
_ALIASES = {"head_dim": "key_dim", "num_query_heads": "num_heads"}
_NEVER = ("position", "scope", "query_key_norm", "scale")  # which Keras does not have
_SOFTMAX = {"class_name": "Softmax", "config": {}}

_KNOWN: WeakKeyDictionary[Trace, Trace] = WeakKeyDictionary()


def in_our_terms(trace: Trace) -> Trace:
    """With the settings of our layers, and one axis of queries and one of keys.

    ``settings["whose"]`` says whose layer it is: "regard", "keras", or "other" of one
    that has a known mechanism in a form of its own.
    """
    if trace not in _KNOWN:
        _KNOWN[trace] = _folded(replace(trace, settings=_settings(trace)))
    return _KNOWN[trace]


def _settings(trace: Trace) -> dict[str, Any]:
    given = trace.settings
    whose = _whose(trace)
    aliases = {ours: given[name] for name, ours in _ALIASES.items() if name in given}
    lacking: dict[str, Any] = {}
    if whose != "regard":
        lacking = {"normalizer": _SOFTMAX, **dict.fromkeys(_NEVER)}
        lacking["subtracts"] = trace.mechanism in ("dot", "additive")
    return {**lacking, **given, **aliases, "whose": whose}


def _whose(trace: Trace) -> str:
    wanted, given = _KERAS.get(trace.mechanism), set(trace.settings)
    if wanted is None or "normalizer" in given or not given:
        return "regard"
    return "keras" if wanted <= given else "other"


def _folded(trace: Trace) -> Trace:
    """Inputs and output (B, …, D) as (B', T, D), like the rest of the trace."""
    query: Any = trace.inputs.get("query")
    if "attention_axes" not in trace.settings or query is None:
        return trace
    count, axes = np.ndim(query) - 1, trace.settings["attention_axes"]
    axes = range(1, count) if axes is None else axes
    attended = sorted(a % (count + 1) for a in np.atleast_1d(axes))
    order = [a for a in range(count) if a not in attended] + attended
    inputs = {n: _fold(a, order, len(attended)) for n, a in _given(trace).items()}
    output: Any = trace.output
    if output is not None:
        output = _fold(output, order, len(attended))
    return replace(
        trace,
        inputs={**trace.inputs, **inputs},
        output=output,
        parameters=_one_axis_out(trace.parameters),
    )


def _given(trace: Trace) -> Mapping[str, np.ndarray]:
    return {n: a for n, a in trace.inputs.items() if n in _GIVEN}


def _fold(array: np.ndarray, order: list[int], attended: int) -> np.ndarray:
    """(B, …, D…) -> (B·others, attended, D)."""
    rest = range(len(order), array.ndim)
    moved = np.transpose(array, (*order, *rest))
    sizes, cut = moved.shape, len(order) - attended
    batch, length = np.prod(sizes[:cut]), np.prod(sizes[cut : len(order)])
    return moved.reshape(int(batch), int(length), -1)


def _one_axis_out(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The output projection with one axis of features, where it has several."""
    found = dict(parameters)
    for name, before in (
        ("attention_output/kernel", 2),
        ("attention_output/bias", 0),
    ):
        if name in found:
            found[name] = found[name].reshape(*found[name].shape[:before], -1)
    return found
