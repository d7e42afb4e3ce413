"""Batched beam search; with a beam of one it is greedy search."""

import keras
from keras import ops

from regard.core.caches import overflowed
from regard.models.ranking import coverage_penalty, length_penalty

NEVER = -1e9  # a log probability no search chooses while there is another


def beam_search(model, source, settings):
    """The ``settings.beam`` best sequences for each source (B, S), best first.

    Finished hypotheses stay in the beam and compete with the others by normalized
    score, so the search may end early without loss of a better one in the beam. All
    leaves of the state move with their hypothesis. Returns what ``Hypotheses`` holds.
    """
    beam, length = settings.beam, settings.max_length
    batch, places = ops.shape(source)[0], ops.shape(source)[1]
    memory = keras.tree.map_structure(
        lambda leaf: ops.repeat(leaf, beam, axis=0), model.encode(source)
    )
    state = model.initial_state(memory, length)
    leaves = keras.tree.flatten(state)
    heads = _heads(model, memory, state, settings.start, batch * beam)
    first = ops.concatenate([ops.zeros((1,)), ops.full((beam - 1,), NEVER)])
    real = ops.cast(ops.not_equal(source, 0), "float32")[:, None]  # (B, 1, S)
    carried = (
        ops.zeros((), dtype="int32"),
        ops.broadcast_to(first, (batch, beam)),
        ops.zeros((batch, beam)),
        ops.zeros((batch, beam), dtype="bool"),
        ops.full((batch, beam), settings.start, dtype="int32"),
        ops.zeros((batch, beam, length), dtype="int32"),
        ops.zeros((batch, beam, length, heads, places)),
        *leaves,
    )

    def going(at, total, lengths, done, *rest):
        return ops.logical_and(at < length, ops.logical_not(ops.all(done)))

    def advance(at, total, lengths, done, tokens, ids, maps, *leaves):
        state_now = keras.tree.pack_sequence_as(state, list(leaves))
        logits, weights, after = model.step(
            ops.reshape(tokens, (-1,)), memory, state_now
        )
        rows = ops.reshape(_log_softmax(logits), (batch, beam, -1))
        rows = _allowed(rows, done, settings)
        totals = ops.expand_dims(total, -1) + rows  # (B, K, V)
        longer = lengths + ops.cast(ops.logical_not(done), "float32")
        penalty = length_penalty(longer, settings.length_alpha)
        ranked = totals / ops.expand_dims(penalty, -1)
        size = rows.shape[-1]
        _, best = ops.top_k(ops.reshape(ranked, (batch, -1)), beam)
        best = ops.cast(best, "int32")
        parent, token = best // size, best % size
        new_maps = ops.reshape(weights, (batch, beam, heads, places))
        new_maps = ops.where(done[..., None, None], 0.0, ops.cast(new_maps, "float32"))
        total = ops.take_along_axis(ops.reshape(totals, (batch, -1)), best, axis=1)
        here = ops.arange(length, dtype="int32") == at
        ids = ops.where(here, token[..., None], _of_parents(ids, parent))
        new_maps = _of_parents(new_maps, parent)
        maps = ops.where(
            here[:, None, None], new_maps[:, :, None], _of_parents(maps, parent)
        )
        done = ops.logical_or(_of_parents(done, parent), token == settings.end)
        flat = parent + ops.expand_dims(ops.arange(batch, dtype="int32") * beam, 1)
        flat = ops.reshape(flat, (-1,))
        moved = [
            ops.take(ops.cast(leaf, old.dtype), flat, axis=0)
            for leaf, old in zip(keras.tree.flatten(after), leaves, strict=True)
        ]
        lengths = _of_parents(longer, parent)
        return (at + 1, total, lengths, done, token, ids, maps, *moved)

    _, total, lengths, _, _, ids, maps, *leaves = ops.while_loop(
        going, advance, carried
    )
    maps = ops.transpose(maps, (0, 1, 3, 2, 4))
    found = _ranked(total, lengths, ids, maps, real, settings)
    state = keras.tree.pack_sequence_as(state, leaves)
    return {**found, "overflow": overflowed(state)}


def _heads(model, memory, state, start, rows):
    """How many maps a step gives, from shapes alone."""
    tokens = ops.full((rows,), start, dtype="int32")
    return model.step(tokens, memory, state)[1].shape[1]


def _log_softmax(logits):
    logits = ops.cast(logits, "float32")
    return logits - ops.logsumexp(logits, axis=-1, keepdims=True)


def _allowed(rows, done, settings):
    """No forbidden ids; after the end only padding, at no cost."""
    ids = ops.arange(rows.shape[-1], dtype="int32")
    for forbidden in settings.forbidden:
        rows = ops.where(ids == forbidden, NEVER, rows)
    padding = ops.where(ids == 0, 0.0, NEVER)
    return ops.where(ops.expand_dims(done, -1), padding, rows)


def _of_parents(tensor, parent):
    """(B, K, ...) rearranged so that hypothesis k continues its parent."""
    shape = (*parent.shape, *[1] * (len(tensor.shape) - 2))
    shape = (-1, parent.shape[1], *shape[2:])
    return ops.take_along_axis(tensor, ops.reshape(parent, shape), axis=1)


def _ranked(total, lengths, ids, maps, real, settings):
    scores = total / length_penalty(ops.maximum(lengths, 1.0), settings.length_alpha)
    if settings.coverage_beta:
        mean = ops.mean(maps, axis=2)  # over heads
        scores = scores + coverage_penalty(mean, real, settings.coverage_beta)
    order = ops.argsort(-scores, axis=1)
    results = {
        "ids": ids,
        "scores": scores,
        "log_probabilities": total,
        "lengths": ops.cast(lengths, "int32"),
        "alignments": maps,
    }
    order = ops.cast(order, "int32")
    return {name: _of_parents(each, order) for name, each in results.items()}
