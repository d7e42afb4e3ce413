"""What a report is made of: attention maps with their tokens, and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from regard.trace import Trace

__all__ = ["AttentionRecord", "Example"]


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
    - ``scores``: the compatibilities before the normalizer, shaped like ``weights``.
    - ``query_language``, ``key_language``: language tags such as ``"ru"``.
    - ``layer`` and ``heads`` (H names): what the map is called.

    Raises:
        ValueError: shapes and token counts that do not fit each other.
    """

    weights: np.ndarray
    query_tokens: Sequence[str]
    key_tokens: Sequence[str]
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    scores: np.ndarray | None = None
    query_language: str = ""
    key_language: str = ""
    layer: str = ""
    heads: Sequence[str] = ()

    def __post_init__(self) -> None:
        weights = _with_heads("weights", self.weights)
        heads, queries, keys = weights.shape
        _check_count("query_tokens", self.query_tokens, queries)
        _check_count("key_tokens", self.key_tokens, keys)
        names = tuple(self.heads) or tuple(str(head + 1) for head in range(heads))
        _check_count("heads", names, heads)
        scores = None
        if self.scores is not None:
            scores = _with_heads("scores", self.scores)
            if scores.shape != weights.shape:
                raise ValueError(
                    f"scores must have the shape of weights, {weights.shape}. "
                    f"Got {scores.shape}."
                )
        masks = {
            cause: _full_mask(cause, mask, weights.shape)
            for cause, mask in self.masks.items()
        }
        for name, value in (
            ("weights", weights), ("scores", scores), ("masks", masks),
            ("heads", names), ("query_tokens", tuple(self.query_tokens)),
            ("key_tokens", tuple(self.key_tokens)),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    def causes(self) -> np.ndarray:
        """``(H, T, S)`` uint8: 0 = may attend, ``n`` = masked by the n-th cause."""
        plane = np.zeros(self.weights.shape, np.uint8)
        for number, mask in enumerate(self.masks.values(), start=1):
            plane[~mask & (plane == 0)] = number
        return plane

    def allowed(self) -> np.ndarray:
        """``(H, T, S)`` boolean: True = no cause masks the cell."""
        return self.causes() == 0

    def average(self) -> np.ndarray:
        """``(T, S)``: the mean over heads."""
        return self.weights.mean(axis=0)

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        query_tokens: Sequence[str],
        key_tokens: Sequence[str],
        *,
        example: int = 0,
        query_language: str = "",
        key_language: str = "",
    ) -> AttentionRecord:
        """One example of a trace; padding beyond the tokens given is cut off.

        Raises:
            ValueError: the trace kept no weights, or has too few rows or columns.
        """
        if trace.weights is None:
            raise ValueError(
                f"trace must hold weights. The trace of {trace.layer or 'a layer'!r} "
                "kept none; trace the call again."
            )
        queries, keys = len(query_tokens), len(key_tokens)
        shape = trace.weights.shape

        def cut(array: np.ndarray) -> np.ndarray:
            full = np.broadcast_to(array, shape)
            return full[example, :, :queries, :keys]

        return cls(
            weights=cut(trace.weights),
            query_tokens=query_tokens,
            key_tokens=key_tokens,
            masks={cause: cut(mask) for cause, mask in trace.masks.items()},
            scores=None if trace.scores is None else cut(trace.scores),
            query_language=query_language,
            key_language=key_language,
            layer=trace.layer or trace.mechanism,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Example:
    """One input with its output, what it should have been, and the maps in between.

    - ``source`` and ``output``: the texts as the reader knows them.
    - ``references``: the right answers, if known; a single string is one reference.
    - ``scores``: name -> number, shown with the example and offered for sorting.
    - ``attention``: one record for each layer; a single record is accepted.
    - ``source_language``, ``output_language``: language tags such as ``"en"``.
    """

    source: str
    output: str
    references: Sequence[str] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    attention: Sequence[AttentionRecord] | AttentionRecord = ()
    source_language: str = ""
    output_language: str = ""

    def __post_init__(self) -> None:
        references = self.references
        if isinstance(references, str):
            references = (references,)
        object.__setattr__(self, "references", tuple(references))
        object.__setattr__(self, "scores", dict(self.scores))

    def records(self) -> tuple[AttentionRecord, ...]:
        """The attention records, always as a tuple."""
        if isinstance(self.attention, AttentionRecord):
            return (self.attention,)
        return tuple(self.attention)


def _with_heads(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, np.float32)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3:
        raise ValueError(
            f"{name} must have shape (heads, query, key) or (query, key). "
            f"Got {array.shape}; pick one example of a batch first."
        )
    return array


def _check_count(name: str, given: Sequence[str], wanted: int) -> None:
    if isinstance(given, str) or len(given) != wanted:
        got = f"the string {given!r}" if isinstance(given, str) else str(len(given))
        raise ValueError(
            f"{name} must be a sequence of {wanted} strings, one for each of the "
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
