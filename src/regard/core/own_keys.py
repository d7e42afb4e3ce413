"""Keys and values of the layer itself, which every query sees after all others."""

from keras import ops

from regard.core.heads import spread
from regard.core.shapes import sizes_of


def with_own(memory, own):
    """Keys or values (B, G, S, D) and behind them the layer's own (1, G, M, D)."""
    batch = sizes_of(memory)[0]
    own = ops.cast(own, memory.dtype)
    own = ops.broadcast_to(own, (batch, *sizes_of(own)[1:]))
    return ops.concatenate([memory, own], axis=2)


def own_columns(mask, real, scores, more):
    """The mask with columns for the layer's own keys, hidden from no real query.

    ``real`` (B, 1, T, 1) says which queries are, None that all are; ``scores`` are
    those of the memory (B, H, T, S), ``more`` those of the own keys (B, H, T, M).
    """
    if mask is None:
        return None
    batch, _, length, count = sizes_of(more)
    heads = mask.shape[1]
    real = ops.ones((1, 1, 1, 1), dtype="bool") if real is None else real
    mask = ops.broadcast_to(mask, (batch, heads, length, sizes_of(scores)[-1]))
    more = ops.broadcast_to(real, (batch, heads, length, count))
    return ops.concatenate([mask, more], axis=-1)


def shown_memory(query, keys, values, own, heads):
    """Keys and values as every head sees them, (B, H, S + M, ·)."""
    if own:
        keys, values = with_own(keys, own[0]), with_own(values, own[1])
    rows = max(query.shape[1], keys.shape[1])  # hops share one query
    return {"key": spread(keys, rows), "value": spread(values, heads)}
