"""Examples of a report from what was captured of a model, or while it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regard.reports.contributions import norm_shares
from regard.reports.documents import has_sentences, words_read
from regard.reports.example import Example
from regard.reports.extras import Training
from regard.reports.record import AttentionRecord
from regard.reports.texts import Texts
from regard.trace import Trace

__all__ = ["examples_of_maps", "examples_of_probe"]


def examples_of_maps(
    maps: Mapping[str, Sequence[Trace]],
    texts: Texts,
    layers: Mapping[str, Any] | None = None,
) -> list[Example]:
    """One example for each of the batch, with the maps of every layer's calls.

    Where the ``layers`` are known by their paths, what each key adds to the output
    stands beside its weight.

    Raises:
        ValueError: no layer gave weights, or tokens for another number of examples or
            more than any layer has places.
    """
    layers = layers or {}
    traces = [
        (name if not number else f"{name}#{number + 1}", trace, layers.get(name))
        for name, calls in maps.items()
        for number, trace in enumerate(calls)
        if _is_shown(trace)
    ]
    if not traces:
        raise ValueError(
            "maps must hold weights of at least one call. Got none: call the model "
            f"inside regard.capture. Layers: {', '.join(maps) or 'none'}."
        )
    whole = [each for each in traces if has_sentences(each[1])] or traces
    count = max(len(_table(trace)) for _, trace, _ in whole)
    texts.check(count, _places(traces))
    shown = [
        (name, trace, None if layer is None else norm_shares(trace, layer))
        for name, trace, layer in traces
        if len(_table(trace)) == count
    ]
    called = {
        f"{name}#{number + 1}" if number else name: number
        for name, calls in maps.items()
        for number in range(len(calls))
        if len(calls) == texts.most_sentences
    }
    return [
        texts.example(
            at,
            attention=[
                _record(*each, at, texts.of_sentence(at, called.get(each[0])))
                for each in shown
            ],
        )
        for at in range(count)
    ]


def examples_of_probe(probe: Any, texts: Texts) -> list[Example]:
    """One example for each of the probe's batch, with a map for each step.

    Raises:
        ValueError: the probe has kept nothing yet.
    """
    snapshots = list(probe.snapshots)
    if not snapshots:
        raise ValueError("probe must have kept snapshots. Got none; train with it.")
    count = len(next(iter(snapshots[0][1].values())))
    texts.check(count)
    traces = [
        {
            name: Trace(mechanism="", weights=table, masks=masks.get(name, {}))
            for name, table in weights.items()
        }
        for (_, weights), masks in zip(snapshots, probe.masks, strict=True)
    ]
    return [
        texts.example(
            at,
            training=Training(
                steps=[step for step, _ in snapshots],
                records=[
                    [_record(name, maps[name], None, at, texts) for name in maps]
                    for maps in traces
                ],
                lines=probe.lines,
            ),
        )
        for at in range(count)
    ]


def _places(traces: Sequence[tuple[str, Trace, Any]]) -> float:
    """The most queries or keys of a map; any number where only some rows were kept."""
    if any("rows" in trace.extra for _, trace, _ in traces):
        return np.inf
    return max(max(_sizes(trace)) for _, trace, _ in traces)


def _sizes(trace: Trace) -> tuple[int, int]:
    """How many queries and keys a map has."""
    if trace.weights is None:
        return trace.extra["entropy"].shape[2], trace.extra["received"].shape[2]
    return trace.weights.shape[2:]


def _record(
    name: str, trace: Trace, norms: np.ndarray | None, at: int, texts: Texts
) -> AttentionRecord:
    sizes = _sizes(trace)
    rows = trace.extra.get("rows")
    if rows is None:
        queries, keys = texts.fitting(at, sizes, "causal" in trace.masks)
    else:
        names = texts.fitting(at, (max(rows) + 1, sizes[1]), False)
        queries, keys = [_at(names[0], row) for row in rows], names[1]
    if trace.weights is None:  # an outline is kept whole, and so are its tokens
        queries, keys = _filled(queries, sizes[0]), _filled(keys, sizes[1])
    keys = _in_sentences(trace, at, texts, keys)
    found = AttentionRecord.from_trace(trace, queries, keys, example=at)
    if norms is None:
        return replace(found, layer=name)
    part = norms[at, :, : len(queries), : len(keys)]
    return replace(found, layer=name, shares={"norm": part})


def _in_sentences(trace: Trace, at: int, texts: Texts, keys: Sequence[str]) -> Any:
    """The keys as sentences of words, where the layer or the reader knows of them."""
    known = None if texts.sentences is None else texts.sentences[at]
    if has_sentences(trace):
        return words_read(trace, at, keys) if known is None else known
    own = texts.keys is not None and keys is texts.keys[at]
    return known if own and known is not None and trace.weights is not None else keys


def _is_shown(trace: Trace) -> bool:
    weights = trace.weights
    return "received" in trace.extra or (weights is not None and weights.ndim == 4)


def _table(trace: Trace) -> np.ndarray:
    return trace.extra["entropy"] if trace.weights is None else trace.weights


def _at(names: Sequence[str], row: int) -> str:
    return names[row] if row < len(names) else str(row + 1)


def _filled(names: Sequence[str], size: int) -> list[str]:
    return [_at(names, at) for at in range(size)]
