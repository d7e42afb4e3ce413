"""Documents of sentences, as a layer that weighs both kinds read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regard.reports.sentences import Sentences
from regard.trace import Trace

__all__ = ["are_nested", "has_sentences", "places_of", "sentences_of", "words_read"]

Texts = Sequence[str] | Sequence[Sequence[str]]


def are_nested(tokens: Texts) -> bool:
    """Whether the tokens are sentences of words, and not words."""
    return bool(tokens) and not isinstance(tokens[0], str)


def has_sentences(trace: Trace) -> bool:
    """Whether the layer weighed sentences, and words inside them."""
    return "words" in trace.extra and "sentences" in trace.extra


def words_read(trace: Trace, example: int, names: Sequence[str]) -> list[list[str]]:
    """The words of each sentence that a layer saw, padding cut off at the ends.

    ``names`` are those of all places, or any others, instead of which words are then
    called "sentence.word".
    """
    count, longest = trace.extra["words"].shape[1:]
    seen = np.ones(()) if trace.mask is None else trace.mask[example, 0, 0]
    seen = np.broadcast_to(seen, count * longest).reshape(count, longest).astype(bool)
    lengths = (seen * np.arange(1, longest + 1)).max(axis=1)
    lengths = lengths[: np.flatnonzero(lengths).max(initial=-1) + 1]
    if len(names) != count * longest or _are_numbers(names):
        names = [f"{at + 1}.{word + 1}" for at, word in np.ndindex(count, longest)]
    return [
        list(names[at * longest : at * longest + length])
        for at, length in enumerate(lengths)
    ]


def _are_numbers(names: Sequence[str]) -> bool:
    return list(names) == [str(at + 1) for at in range(len(names))]


def sentences_of(
    trace: Trace, example: int, tokens: Sequence[Sequence[str]]
) -> tuple[np.ndarray, Sentences]:
    """Which keys of a trace the words are, and what its sentences weigh.

    A hierarchical pooling has every sentence filled up to the longest of the batch;
    the keys of any other layer are the words one after another.

    Raises:
        ValueError: more sentences or words than the layer read.
    """
    lengths = [len(each) for each in tokens]
    if not has_sentences(trace):
        return np.arange(sum(lengths)), Sentences(lengths=lengths)
    inside = trace.extra["words"]
    count, longest = inside.shape[1:]
    if len(lengths) > count or max(lengths, default=0) > longest:
        raise ValueError(
            f"key_tokens must be at most {count} sentences of at most {longest} words, "
            f"as many as were read. Got {len(lengths)}, the longest of "
            f"{max(lengths, default=0)} words."
        )
    columns = places_of(trace, lengths)
    return columns, Sentences(
        lengths=lengths,
        weights=trace.extra["sentences"][example, : len(lengths)],
        words=inside[example].reshape(-1)[columns],
    )


def places_of(trace: Trace, lengths: Sequence[int]) -> np.ndarray:
    """The keys that the words of sentences of these lengths are, in their order."""
    longest = trace.extra["words"].shape[2]
    places = [at * longest + np.arange(length) for at, length in enumerate(lengths)]
    return np.concatenate(places).astype(int)
