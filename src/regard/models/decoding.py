"""The loop of every search: step the model, choose what follows, keep its path."""

import keras
from keras import ops

from regard.core.caches import overflowed
from regard.core.shapes import is_static
from regard.models.ranking import NEVER


def decode(model, source, settings, choose):
    """Write ``settings.beam`` sequences for each source (B, S) until all have ended.

    The model is stepped with all of them at once, (B * K) rows. What it returned stays
    where it was written; a hypothesis knows which slot of the beam it stood in at every
    step, and only the leaves of the state move with it.

    Args:
        model: with ``encode``, ``initial_state`` and ``step``.
        source: ids (B, S).
        settings: beam, max_length, start, end.
        choose: ``(at, logits, total, lengths, done) -> parent, token, total``, which of
            the K hypotheses go on, with what id and log probability, all (B, K).

    Returns: ids (B, K, L), log_probabilities and lengths (B, K), alignments
        (B, K, H, L, S), and overflow, whether a cache was full.
    """
    beam, length = settings.beam, settings.max_length
    batch, places = ops.shape(source)[0], ops.shape(source)[1]
    memory = model.encode(source)
    state = _for_each(model.initial_state(memory, length), beam)
    if not (getattr(model, "shares_memory", False) and is_static(batch)):
        memory = _for_each(memory, beam)
    elif hasattr(model, "folded"):
        memory = model.folded(memory, beam * length)
    tokens = ops.full((batch * beam,), settings.start, dtype="int32")
    heads = _heads(model, tokens, memory, state)
    first = ops.convert_to_tensor([0.0, *[NEVER] * (beam - 1)])  # all are one still
    carried = (
        ops.zeros((), dtype="int32"),
        ops.broadcast_to(first, (batch, beam)),
        ops.zeros((batch, beam), dtype="int32"),
        ops.zeros((batch, beam), dtype="bool"),
        tokens,
        ops.zeros((batch, beam, length, 2), dtype="int32"),  # ids and slots
        ops.zeros((length, batch * beam, heads, places)),
        *keras.tree.flatten(state),
    )

    def going(at, total, lengths, done, *rest):
        return ops.logical_and(at < length, ops.logical_not(ops.all(done)))

    def advance(at, total, lengths, done, tokens, path, maps, *leaves):
        now = keras.tree.pack_sequence_as(state, list(leaves))
        logits, weights, after = model.step(tokens, memory, now)
        parent, token, total = choose(at, logits, total, lengths, done)
        lengths = lengths + ops.cast(ops.logical_not(done), "int32")
        here = ops.arange(length, dtype="int32") == at
        new = ops.stack([token, parent], axis=-1)[:, :, None]
        path = ops.where(here[:, None], new, of_parents(path, parent))
        weights = ops.cast(weights, "float32")[None]
        maps = ops.scatter_update(maps, ops.reshape(at, (1, 1)), weights)
        lengths, done = of_parents(lengths, parent), of_parents(done, parent)
        done = ops.logical_or(done, token == settings.end)
        moved = [
            _rows_of_parents(ops.cast(new, old.dtype), parent)
            for new, old in zip(keras.tree.flatten(after), leaves, strict=True)
        ]
        tokens = ops.reshape(token, (-1,))
        return (at + 1, total, lengths, done, tokens, path, maps, *moved)

    _, total, lengths, _, _, path, maps, *leaves = ops.while_loop(
        going, advance, carried
    )
    return {
        "ids": path[..., 0],
        "log_probabilities": total,
        "lengths": lengths,
        "alignments": _along(path[..., 1], lengths, maps),
        "overflow": overflowed(keras.tree.pack_sequence_as(state, leaves)),
    }


def of_parents(tensor, parent):
    """(B, K, ...) rearranged so that hypothesis k continues its parent."""
    if parent.shape[1] == 1:
        return tensor
    shape = (-1, parent.shape[1], *[1] * (len(tensor.shape) - 2))
    return ops.take_along_axis(tensor, ops.reshape(parent, shape), axis=1)


def _rows_of_parents(tensor, parent):
    """The same of (B * K, ...)."""
    beam = parent.shape[1]
    if beam == 1:
        return tensor
    first = ops.arange(ops.shape(parent)[0], dtype="int32") * beam
    rows = ops.reshape(parent + first[:, None], (-1,))
    return ops.take(tensor, rows, axis=0)


def _for_each(tensors, beam):
    """Nested tensors (B, ...) for each of the hypotheses (B * K, ...)."""
    if beam == 1:
        return tensors
    return keras.tree.map_structure(
        lambda leaf: ops.repeat(leaf, beam, axis=0), tensors
    )


def _heads(model, tokens, memory, state):
    """How many maps a step gives: what one row shows."""
    one = keras.tree.map_structure(lambda leaf: leaf[:1], (tokens, memory, state))
    return model.step(*one)[1].shape[1]


def _along(slots, lengths, maps):
    """The maps (L, B * K, H, S) that each hypothesis saw: (B, K, H, L, S).

    At step t it stood in ``slots[:, :, t]``; after its end there is nothing.
    """
    batch, beam, length = ops.shape(slots)
    steps = ops.arange(length, dtype="int32")
    first = ops.arange(batch, dtype="int32") * beam + steps[:, None] * batch * beam
    rows = slots + ops.transpose(first)[:, None]  # (B, K, L)
    maps = ops.reshape(maps, (-1, *ops.shape(maps)[2:]))
    maps = ops.take(maps, ops.reshape(rows, (-1,)), axis=0)
    maps = ops.reshape(maps, (batch, beam, length, *ops.shape(maps)[1:]))
    seen = steps < lengths[..., None]
    maps = ops.where(seen[..., None, None], maps, 0.0)
    return ops.transpose(maps, (0, 1, 3, 2, 4))
