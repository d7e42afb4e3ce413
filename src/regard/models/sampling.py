"""Sampling one sequence for each source."""

import keras
from keras import ops

from regard.core.caches import overflowed

NEVER = -1e9


def sample(model, source, draws, settings):
    """Draw a sequence for each source (B, S).

    Args:
        model: with ``encode``, ``initial_state`` and ``step``.
        source: ids (B, S).
        draws: uniform numbers in [0, 1), (max_length, B): the only randomness, so a
            seed gives the same sequences on every backend up to rounding.
        settings: temperature, top_k, top_p, start, end, forbidden.
    """
    batch, places = ops.shape(source)[0], ops.shape(source)[1]
    memory = model.encode(source)
    state = model.initial_state(memory, settings.max_length)
    tokens = ops.full((batch,), settings.start, dtype="int32")
    heads = model.step(tokens, memory, state)[1].shape[1]
    carried = (
        ops.zeros((), dtype="int32"),
        ops.zeros((batch,)),
        ops.zeros((batch,), dtype="int32"),
        ops.zeros((batch,), dtype="bool"),
        tokens,
        ops.zeros((batch, settings.max_length), dtype="int32"),
        ops.zeros((batch, settings.max_length, heads, places)),
        *keras.tree.flatten(state),
    )

    def going(at, total, lengths, done, *rest):
        more = at < settings.max_length
        return ops.logical_and(more, ops.logical_not(ops.all(done)))

    def advance(at, total, lengths, done, tokens, ids, maps, *leaves):
        now = keras.tree.pack_sequence_as(state, list(leaves))
        logits, weights, after = model.step(tokens, memory, now)
        logits = ops.cast(logits, "float32")
        possible = without_forbidden(logits, settings.forbidden)
        token = choose(possible, ops.take(draws, at, axis=0), settings)
        token = ops.where(done, 0, token)
        gained = ops.take_along_axis(
            ops.log_softmax(logits, axis=-1), token[:, None], axis=1
        )
        total = total + ops.where(done, 0.0, gained[:, 0])
        lengths = lengths + ops.cast(ops.logical_not(done), "int32")
        here = ops.arange(settings.max_length, dtype="int32") == at
        ids = ops.where(here, token[:, None], ids)
        weights = ops.where(done[:, None, None], 0.0, ops.cast(weights, "float32"))
        maps = ops.where(here[:, None, None], weights[:, None], maps)
        done = ops.logical_or(done, token == settings.end)
        leaves = tuple(
            ops.cast(new, old.dtype)
            for new, old in zip(keras.tree.flatten(after), leaves, strict=True)
        )
        return (at + 1, total, lengths, done, token, ids, maps, *leaves)

    _, total, lengths, _, _, ids, maps, *leaves = ops.while_loop(
        going, advance, carried
    )
    return {
        "ids": ids[:, None],
        "scores": total[:, None],
        "log_probabilities": total[:, None],
        "lengths": lengths[:, None],
        "alignments": ops.transpose(maps, (0, 2, 1, 3))[:, None],
        "overflow": overflowed(keras.tree.pack_sequence_as(state, leaves)),
    }


def without_forbidden(logits, forbidden):
    """Ids that never occur lose all probability."""
    ids = ops.arange(logits.shape[-1], dtype="int32")
    for each in forbidden:
        logits = ops.where(ids == each, NEVER, logits)
    return logits


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
