"""Examples of a report from what was captured of a model, or while it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from regard.reports.contributions import norm_shares
from regard.reports.documents import are_nested, has_sentences, words_read
from regard.reports.example import Example
from regard.reports.extras import Training
from regard.reports.record import AttentionRecord
from regard.seeing.pieces import is_special, without_mark, word_groups
from regard.trace import Trace

__all__ = ["Texts", "examples_of_maps", "examples_of_probe"]

#: The tokens of one example, or of all of them; of keys also sentences of tokens.
Tokens = Sequence[str] | Sequence[Sequence[Any]] | None


@dataclass(frozen=True)
class Texts:
    """The tokens of every example on the two sides, where they are known."""

    queries: list[list[str]] | None
    keys: list[list[str]] | None
    sentences: list[list[list[str]]] | None = None  # of the keys

    @classmethod
    def of(cls, query_tokens: Tokens, key_tokens: Tokens) -> Texts:
        """One side alone is taken for both; sentences of keys are laid in a row."""
        queries, keys = _batch(query_tokens), _batch(key_tokens)
        sentences = None
        if keys and any(map(are_nested, keys)):
            sentences = [[list(each) for each in example] for example in keys]
            keys = [list(chain.from_iterable(each)) for each in sentences]
        return cls(queries or keys, keys or queries, sentences)

    def check(self, examples: int) -> None:
        """Raise unless there are tokens for each example, or none at all."""
        for name, side in (("query_tokens", self.queries), ("key_tokens", self.keys)):
            if side is not None and len(side) != examples:
                raise ValueError(
                    f"{name} must have one list of strings for each of the {examples} "
                    f"examples. Got {len(side)}."
                )

    def fitting(
        self, example: int, sizes: Sequence[int], causal: bool
    ) -> tuple[Sequence[str], Sequence[str]]:
        """The tokens of a map's rows and columns: the two sides that fit it best.

        Where queries and keys may both be either side, a causal map is of the queries
        alone, another one of the keys alone.
        """
        if self.queries is None or self.keys is None:
            return _numbers(sizes[0]), _numbers(sizes[1])
        output, source = self.queries, self.keys
        selves = [(output, output), (source, source)]
        pairs = [*(selves if causal else selves[::-1]), (output, source)]
        best = min(pairs, key=lambda pair: sum(map(_spare, pair, sizes)))
        if sum(map(_spare, best, sizes)) < np.inf:
            return best[0][example], best[1][example]
        # As of a pooling, which reads all keys with one query of its own.
        alone = min(source, output, key=lambda side: _spare(side, sizes[1]))
        fits = _spare(alone, sizes[1]) < np.inf
        return _numbers(sizes[0]), alone[example] if fits else _numbers(sizes[1])

    def text(self, example: int, side: str) -> str:
        """What the tokens of a side spell."""
        tokens = getattr(self, side)
        return "" if tokens is None else _spelled(tokens[example])


def examples_of_maps(
    maps: Mapping[str, Sequence[Trace]],
    texts: Texts,
    layers: Mapping[str, Any] | None = None,
) -> list[Example]:
    """One example for each of the batch, with the maps of every layer's calls.

    Where the ``layers`` are known by their paths, what each key adds to the output
    stands beside its weight.

    Raises:
        ValueError: no layer gave weights, or tokens for another number of examples.
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
    texts.check(count)
    shown = [
        (name, trace, None if layer is None else norm_shares(trace, layer))
        for name, trace, layer in traces
        if len(_table(trace)) == count
    ]
    return [
        _example(at, texts, [_record(*each, at, texts) for each in shown])
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
    steps = [step for step, _ in snapshots]
    traces = [
        {
            name: Trace(mechanism="", weights=table, masks=masks.get(name, {}))
            for name, table in weights.items()
        }
        for (_, weights), masks in zip(snapshots, probe.masks, strict=True)
    ]
    return [
        _example(
            at,
            texts,
            Training(
                steps=steps,
                records=[
                    [
                        _record(name, each, None, at, texts)
                        for name, each in maps.items()
                    ]
                    for maps in traces
                ],
                lines=probe.lines,
            ),
        )
        for at in range(count)
    ]


def _example(at: int, texts: Texts, shown: Training | list[AttentionRecord]) -> Example:
    texts_of: dict[str, Any] = {
        "source": texts.text(at, "keys") or f"№ {at + 1}",
        "output": "",
    }
    if texts.queries != texts.keys:
        texts_of["output"] = texts.text(at, "queries")
    if isinstance(shown, Training):
        return Example(training=shown, **texts_of)
    return Example(attention=shown, **texts_of)


def _record(
    name: str, trace: Trace, norms: np.ndarray | None, at: int, texts: Texts
) -> AttentionRecord:
    if trace.weights is None:
        sizes = trace.extra["entropy"].shape[2], trace.extra["received"].shape[2]
    else:
        sizes = trace.weights.shape[2:]
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


def _numbers(size: int) -> list[str]:
    return [str(at + 1) for at in range(size)]


def _spare(side: Sequence[Sequence[str]], size: int) -> float:
    """The padding after the longest sequence; inf where that does not fit."""
    longest = max(map(len, side))
    return size - longest if longest <= size else np.inf


def _is_shown(trace: Trace) -> bool:
    weights = trace.weights
    return "received" in trace.extra or (weights is not None and weights.ndim == 4)


def _table(trace: Trace) -> np.ndarray:
    return trace.extra["entropy"] if trace.weights is None else trace.weights


def _at(names: Sequence[str], row: int) -> str:
    return names[row] if row < len(names) else str(row + 1)


def _filled(names: Sequence[str], size: int) -> list[str]:
    return [_at(names, at) for at in range(size)]


def _batch(tokens: Tokens) -> list[list[str]] | None:
    if tokens is None:
        return None
    if isinstance(tokens, str):
        raise ValueError(
            f"tokens must be lists of strings. Got the string {tokens!r}; split it."
        )
    if tokens and isinstance(tokens[0], str):
        return [[str(each) for each in tokens]]
    return [list(each) for each in tokens]


def _spelled(tokens: Sequence[str]) -> str:
    words = [group for group in word_groups(tokens) if not is_special(tokens[group[0]])]
    return " ".join(
        "".join(without_mark(tokens[at]) for at in group) for group in words
    )
