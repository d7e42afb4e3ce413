"""An attention map with the tokens it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regard.reports.documents import are_nested, sentences_of
from regard.reports.outline import OUTLINE, checked_outline
from regard.reports.sentences import Sentences
from regard.trace import Trace

__all__ = ["AttentionRecord"]


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionRecord:
    """The attention of one example in one layer, with the tokens it belongs to.

    - ``weights`` ``(H, T, S)`` or ``(T, S)``: rows are queries (output), columns are
      keys (input); kept as float32 ``(H, T, S)``.
    - ``query_tokens`` (T strings), ``key_tokens`` (S strings): as the tokenizer gave
      them, subword marks included.
    - ``masks``: cause -> boolean array, True = may attend, of shape ``(S,)``,
      ``(T, S)`` or ``(H, T, S)``. A cell is masked if any cause masks it; the first
      such cause is the one shown.
    - ``outline``: of an input too long to keep all weights, the arrays of this example
      that a capture puts into ``extra``; ``weights`` is ``None`` then.
    - ``scores``: the compatibilities before the normalizer, shaped like ``weights``.
    - ``query_language``, ``key_language``: language tags such as ``"ru"``.
    - ``layer`` and ``heads`` (H names): what the map is called.
    - ``shares``: name -> another measure of each pair, shaped like ``weights``, as a
      part of its row, 0 to 1: "norm" for what the key adds to the output, "gradient"
      for weight times gradient, or a name of your own.
    - ``importance`` (H numbers): how much worse the model is without each head, say.
    - ``sentences``: into which the keys fall, as ``Sentences`` or just how many keys
      each has; the text is then shown with a bar for the weight of each.

    Raises:
        ValueError: shapes and token counts that do not fit each other.
    """

    weights: np.ndarray = None  # type: ignore[assignment]  # beside an outline only
    query_tokens: Sequence[str] = ()
    key_tokens: Sequence[str] = ()
    outline: Mapping[str, np.ndarray] | None = None
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    scores: np.ndarray | None = None
    query_language: str = ""
    key_language: str = ""
    layer: str = ""
    heads: Sequence[str] = ()
    importance: Sequence[float] | None = None
    shares: Mapping[str, np.ndarray] = field(default_factory=dict)
    sentences: Sentences | Sequence[int] | None = None

    def __post_init__(self) -> None:
        weights = outline = None
        if self.weights is None and self.outline is not None:
            outline = checked_outline(self.outline)
            shape = (*outline["entropy"].shape, outline["received"].shape[-1])
        else:
            weights = _with_heads("weights", self.weights)
            shape = weights.shape
        heads, queries, keys = shape
        _check_count("query_tokens", self.query_tokens, queries)
        _check_count("key_tokens", self.key_tokens, keys)
        names = tuple(self.heads) or tuple(str(head + 1) for head in range(heads))
        _check_count("heads", names, heads)
        if self.importance is not None:
            _check_count("importance", self.importance, heads, "numbers")
        scores = None
        if self.scores is not None:
            scores = _with_heads("scores", self.scores)
            if scores.shape != shape:
                raise ValueError(
                    f"scores must have the shape of weights, {shape}. "
                    f"Got {scores.shape}."
                )
        shares = {name: _with_heads(name, each) for name, each in self.shares.items()}
        for name, table in shares.items():
            if table.shape != shape or not _are_shares(table):
                raise ValueError(
                    f"shares[{name!r}] must lie between 0 and 1 and have the shape of "
                    f"weights, {shape}. Got {table.shape}."
                )
        masks = {
            cause: _full_mask(cause, mask, shape) for cause, mask in self.masks.items()
        }
        sentences = self.sentences
        if sentences is not None:
            if not isinstance(sentences, Sentences):
                sentences = Sentences(lengths=sentences)
            sentences = sentences.joined(self.table if weights is None else weights)
        for name, value in (
            ("weights", weights), ("scores", scores), ("masks", masks),
            ("outline", outline), ("heads", names), ("shares", shares),
            ("sentences", sentences),
            ("query_tokens", tuple(self.query_tokens)),
            ("key_tokens", tuple(self.key_tokens)),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def table(self) -> np.ndarray:
        """The weights ``(H, T, S)``.

        Raises:
            ValueError: only an outline of them was kept.
        """
        if self.weights is None:
            raise ValueError(
                f"weights of {self.layer or 'the map'!r} must all be kept for this. "
                "Got their outline; capture with whole=True, or rows= and heads=."
            )
        return self.weights

    def causes(self) -> np.ndarray:
        """``(H, T, S)`` uint8: 0 = may attend, ``n`` = masked by the n-th cause."""
        plane = np.zeros(self.table.shape, np.uint8)
        for number, mask in enumerate(self.masks.values(), start=1):
            plane[~mask & (plane == 0)] = number
        return plane

    def allowed(self) -> np.ndarray:
        """``(H, T, S)`` boolean: True = no cause masks the cell."""
        return self.causes() == 0

    def average(self) -> np.ndarray:
        """``(T, S)``: the mean over heads."""
        return self.table.mean(axis=0)

    def strongest(self, row: int, count: int) -> list[tuple[int, float]]:
        """The largest weights of a row, with their keys; of an outline, in head 0."""
        if self.outline is not None:
            keys = self.outline["top_keys"][0, row, :count]
            kept = zip(keys, self.outline["top_weights"][0, row], strict=False)
            return [(int(key), float(weight)) for key, weight in kept if weight > 0]
        weights = np.nan_to_num(self.table[:, row].mean(axis=0))
        seen = np.ones((len(self.heads), len(weights)), bool)
        for mask in self.masks.values():
            seen &= mask[:, row]
        weights = np.where(seen.any(axis=0), weights, 0.0)
        best = np.argsort(-weights)[:count]
        return [(int(key), float(weights[key])) for key in best if weights[key] > 0]

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        query_tokens: Sequence[str],
        key_tokens: Sequence[str] | Sequence[Sequence[str]],
        *,
        example: int = 0,
        query_language: str = "",
        key_language: str = "",
    ) -> AttentionRecord:
        """One example of a trace; padding beyond the tokens given is cut off.

        ``key_tokens`` may be a list of sentences, each a list of words.

        Raises:
            ValueError: the trace kept no weights, or has too few rows or columns.
        """
        queries, keys = len(query_tokens), np.arange(len(key_tokens))
        sentences = None
        if are_nested(key_tokens):
            keys, sentences = sentences_of(trace, example, key_tokens)
            key_tokens = [word for each in key_tokens for word in each]
        texts: dict[str, Any] = {
            "query_tokens": query_tokens,
            "key_tokens": key_tokens,
            "query_language": query_language,
            "key_language": key_language,
            "layer": trace.layer or trace.mechanism,
            "heads": [str(head + 1) for head in trace.extra.get("heads", ())],
        }
        if trace.weights is None and "received" in trace.extra:
            outline = {name: trace.extra[name][example] for name in OUTLINE}
            return cls(outline=outline, **texts)
        if trace.weights is None:
            raise ValueError(
                f"trace must hold weights. The trace of {trace.layer or 'a layer'!r} "
                "kept none; trace the call again."
            )
        shape = trace.weights.shape

        def cut(array: np.ndarray) -> np.ndarray:
            full = np.broadcast_to(array, shape)
            return full[example][:, :queries, keys[keys < shape[3]]]

        return cls(
            weights=cut(trace.weights),
            masks={cause: cut(mask) for cause, mask in trace.masks.items()},
            scores=None if trace.scores is None else cut(trace.scores),
            sentences=sentences,
            **texts,
        )


def _with_heads(name: str, array: Any) -> np.ndarray:
    try:
        array = np.asarray(array, np.float32)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a table of numbers. Got {str(array)[:60]!r}; of what was "
            "captured take maps[name].weights[example]."
        ) from None
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3:
        raise ValueError(
            f"{name} must have shape (heads, query, key) or (query, key). "
            f"Got {array.shape}; pick one example of a batch first."
        )
    return array


def _are_shares(table: np.ndarray) -> bool:
    known = table[np.isfinite(table)]
    return not known.size or (known.min() >= -1e-6 and known.max() <= 1 + 1e-5)


def _check_count(
    name: str, given: Sequence[Any], wanted: int, kind: str = "strings"
) -> None:
    if isinstance(given, str) or len(given) != wanted:
        got = f"the string {given!r}" if isinstance(given, str) else str(len(given))
        raise ValueError(
            f"{name} must be a sequence of {wanted} {kind}, one for each of the "
            f"weights. Got {got}."
        )


def _full_mask(cause: str, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype.kind == "f":
        raise ValueError(
            f"masks[{cause!r}] must be boolean, True = may attend. Got {mask.dtype}."
        )
    try:
        return np.broadcast_to(mask.astype(bool), shape)
    except ValueError:
        raise ValueError(
            f"masks[{cause!r}] must have shape (key,), (query, key) or "
            f"(heads, query, key) = {shape}. Got {mask.shape}."
        ) from None
