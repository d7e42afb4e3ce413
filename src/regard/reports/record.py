"""An attention map with the tokens it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regard.reports.outline import checked_outline
from regard.reports.record_checks import check_count, full_mask, shares_of, with_heads
from regard.reports.sentences import Sentences
from regard.reports.traced import arrays_of, in_a_row
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
        if self.weights is None and self.outline is not None:
            outline = checked_outline(self.outline)
            self._set(outline=outline)
            shape = (*outline["entropy"].shape, outline["received"].shape[-1])
        else:
            weights = with_heads("weights", self.weights)
            self._set(weights=weights, outline=None)
            shape = weights.shape
        heads, queries, keys = shape
        check_count("query_tokens", self.query_tokens, queries)
        check_count("key_tokens", self.key_tokens, keys)
        names = tuple(self.heads) or tuple(str(head + 1) for head in range(heads))
        check_count("heads", names, heads)
        if self.importance is not None:
            check_count("importance", self.importance, heads, "numbers")
        scores, shares, masks = self.scores, self.shares, self.masks
        self._set(
            query_tokens=tuple(self.query_tokens),
            key_tokens=tuple(self.key_tokens),
            heads=names,
            scores=None if scores is None else with_heads("scores", scores, shape),
            shares={name: shares_of(name, shares[name], shape) for name in shares},
            masks={cause: full_mask(cause, masks[cause], shape) for cause in masks},
            sentences=self._joined(),
        )

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _joined(self) -> Sentences | None:
        if self.sentences is None:
            return None
        if isinstance(self.sentences, Sentences):
            return self.sentences.joined(self.table)
        return Sentences(lengths=self.sentences).joined(self.table)

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

    def maps(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weights and what may be seen ``(T, S)``: of each head; of several, last the
        mean, which may see what any head may.
        """
        allowed = self.allowed()
        maps = list(zip(self.table, allowed, strict=True))
        if len(maps) > 1:
            maps.append((self.average(), allowed.any(axis=0)))
        return maps

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
        return cls(
            **arrays_of(trace, example, query_tokens, key_tokens),
            query_tokens=query_tokens,
            key_tokens=in_a_row(key_tokens),
            query_language=query_language,
            key_language=key_language,
            layer=trace.layer or trace.mechanism,
            heads=[str(head + 1) for head in trace.extra.get("heads", ())],
        )
