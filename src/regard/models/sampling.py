"""Sampling one sequence for each source."""

from functools import partial

from keras import ops

from regard.models.decoding import decode
from regard.models.ranking import without


def sample(model, source, draws, settings):
    """Draw a sequence for each source (B, S).

    Args:
        model: with ``encode``, ``initial_state`` and ``step``.
        source: ids (B, S).
        draws: uniform numbers in [0, 1), (max_length, B): the only randomness, so a
            seed gives the same sequences on every backend up to rounding.
        settings: temperature, top_k, top_p, start, end, forbidden.
    """
    found = decode(model, source, settings, partial(_drawn, settings, draws))
    return {**found, "scores": found["log_probabilities"]}


def _drawn(settings, draws, at, logits, total, lengths, done):
    """One id (B, 1) each; after the end only padding, at no cost."""
    logits = ops.cast(logits, "float32")
    ids = ops.arange(logits.shape[-1], dtype="int32")
    possible = without(logits, ids, settings.forbidden)
    token = choose(possible, ops.take(draws, at, axis=0), settings)[:, None]
    rows = ops.log_softmax(logits, axis=-1)
    gained = ops.take_along_axis(rows, token, axis=1)
    token = ops.where(done, 0, token)
    return ops.zeros_like(token), token, total + ops.where(done, 0.0, gained)


def choose(logits, draws, settings):
    """One id per row (B, V), by the inverse of the cumulative distribution.

    Ids are ordered from the likeliest; top-k and top-p keep a beginning of that order
    (Fan et al. 2018; Holtzman et al. 2020).
    """
    size = logits.shape[-1]
    count = size if settings.top_k is None else min(settings.top_k, size)
    logits, ids = ops.top_k(logits / settings.temperature, count)
    chances = ops.softmax(logits, axis=-1)
    upto = ops.cumsum(chances, axis=-1)
    if settings.top_p is not None:
        kept = upto - chances < settings.top_p  # the first id always stays
        chances = ops.where(kept, chances, 0.0)
        upto = ops.cumsum(chances, axis=-1)
    target = draws[:, None] * upto[:, -1:]
    place = ops.sum(ops.cast(upto <= target, "int32"), axis=-1, keepdims=True)
    place = ops.minimum(place, count - 1)
    return ops.cast(ops.take_along_axis(ids, place, axis=1)[:, 0], "int32")
