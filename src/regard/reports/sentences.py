"""How the keys of a map fall into sentences, and what each sentence weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.reports.encoding import Coding, Numbers, fits_levels

__all__ = ["Sentences", "pack_sentences"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sentences:
    """The sentences of a text whose words are the keys of a map.

    A hierarchical network weighs sentences, ``b_n``, and the words inside each,
    ``a_nt``; the weights of its map are ``b_n a_nt`` over all words. Where only these
    are known, ``b_n`` is what the words of a sentence sum to and ``a_nt`` the part that
    a word has of it.

    - ``lengths`` (N whole numbers): how many keys each sentence has; together S.
    - ``weights``: of the sentences, (N,), (T, N) or (H, T, N).
    - ``words``: of each word inside its sentence, (S,), (T, S) or (H, T, S).

    Raises:
        ValueError: as it joins a map, for lengths and shapes that are not the map's.
    """

    lengths: Sequence[int]
    weights: np.ndarray | None = None
    words: np.ndarray | None = None

    def joined(self, table: np.ndarray) -> Sentences:
        """The same with every number there, for a map's weights ``(H, T, S)``."""
        heads, queries, keys = table.shape
        lengths = [int(each) for each in self.lengths]
        if sum(lengths) != keys or min(lengths, default=0) < 0:
            raise ValueError(
                f"sentences must have {keys} keys together, as many as the map. "
                f"Got lengths {lengths}, together {sum(lengths)}."
            )
        shape = (heads, queries, len(lengths))
        weights = _checked("weights", self.weights, shape)
        words = _checked("words", self.words, table.shape)
        if weights is None or words is None:
            summed = _sums(table, lengths)
            weights = summed if weights is None else weights
            if words is None:
                words = table / np.where(summed > 0, summed, 1)[..., _owners(lengths)]
        weights, words = (np.asarray(each, np.float32) for each in (weights, words))
        return _Joined(lengths=lengths, weights=weights, words=words)


class _Joined(Sentences):
    """With every number there, computed or checked."""

    def joined(self, table: np.ndarray) -> Sentences:
        fits = self.words is not None and self.words.shape == table.shape
        return self if fits else super().joined(table)


def _owners(lengths: Sequence[int]) -> np.ndarray:
    """Of each key, the number of its sentence."""
    return np.repeat(np.arange(len(lengths)), lengths)


def _sums(table: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """(..., S) -> (..., N)."""
    owned = _owners(lengths)[:, None] == np.arange(len(lengths))
    return np.asarray(table, np.float64) @ owned


def _checked(name: str, given: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if given is None:
        return None
    try:
        found = np.broadcast_to(given, shape)
    except ValueError:
        raise ValueError(
            f"{name} of sentences must have shape {shape[2:]}, {shape[1:]} or {shape}. "
            f"Got {np.shape(given)}."
        ) from None
    if not fits_levels(np.asarray(given, np.float32)):
        raise ValueError(f"{name} of sentences must lie between 0 and 1.")
    return found


def pack_sentences(
    sentences: Sentences, table: np.ndarray, coding: Coding, buffer: Numbers
) -> dict[str, Any]:
    """Sentences exactly, words as the weights are; of each head and of their mean."""
    weights, words = np.asarray(sentences.weights), np.asarray(sentences.words)
    if len(table) > 1:
        mean = weights.mean(axis=0, keepdims=True)
        joint = table.mean(axis=0, keepdims=True)
        part = np.where(mean > 0, mean, 1)[..., _owners(sentences.lengths)]
        weights, words = np.vstack([weights, mean]), np.vstack([words, joint / part])
    return {
        "lengths": list(sentences.lengths),
        "mass": buffer.append(np.asarray(weights, "<f4").tobytes()),
        "words": buffer.append(coding.encode(np.asarray(words, np.float32))),
    }
