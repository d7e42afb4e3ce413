"""Linear attention with decay: retention, gated linear attention and their kin."""

from typing import Any

from jaxtyping import Float
from keras import ops

from regard.core.scans import chunks
from regard.core.scans.pairs import products
from regard.core.scans.segments import in_segments
from regard.core.scores import widen
from regard.core.shapes import sizes_of

Tensor = Any


def gated_scan(
    query: Float[Tensor, "b h t k"],
    key: Float[Tensor, "b h t k"],
    value: Float[Tensor, "b h t v"],
    log_decay: Float[Tensor, "b h t _"] | None = None,
    state: chunks.State | None = None,
    chunk: int | None = None,
) -> tuple[Float[Tensor, "b h t v"], chunks.State]:
    r"""$S_t = \mathrm{diag}(e^{g_t})\,S_{t-1} + k_t v_t^\top,\quad o_t = S_t^\top q_t$.

    Without decay it is causal linear attention, with one decay per head and step
    retention or simple gated linear attention, with one per channel gated linear
    attention (Yang et al. 2023, arXiv:2312.06635, section 4.1).

    Args:
        query: q, (B,H,T,K).
        key: k, (B,H,T,K); a key of zeros writes nothing.
        value: v, (B,H,T,V).
        log_decay: g at most 0, (B,H,T,1) or (B,H,T,K); None forgets nothing. Values
            below -50 count as -50.
        state: S before the first position, (B,H,K,V); None is zero.
        chunk: positions per chunk, by default 64, or 16 with a decay per channel.

    Returns:
        the outputs (B,H,T,V) and the state after the last position, float32 at least.
    """
    tensors = (query, key, value, log_decay)
    return in_segments(_gated, tensors, state, chunk)


def _gated(query, key, value, log_decay, state, chunk):
    """Of one segment."""
    length = sizes_of(query)[2]
    size = chunks.chunk_size(chunk, length, log_decay)
    state = chunks.empty_state(key, value) if state is None else widen(state)
    q, k, v = (chunks.cut(widen(each), size) for each in (query, key, value))
    if log_decay is None:
        before, after = chunks.chained(None, ops.matmul(_turned(k), v), state)
        inside = ops.matmul(products(q, k, None), v)
        return chunks.joined(inside + ops.matmul(q, before), length), after
    log_sum = ops.cumsum(chunks.cut(chunks.bounded(log_decay), size), axis=-2)
    last = log_sum[..., -1:, :]
    added = ops.matmul(_turned(k * ops.exp(last - log_sum)), v)
    before, after = chunks.chained(_turned(ops.exp(last)), added, state)
    inside = ops.matmul(products(q, k, log_sum), v)
    outputs = inside + ops.matmul(q * ops.exp(log_sum), before)
    return chunks.joined(outputs, length), after


def _turned(tensor):
    return ops.swapaxes(tensor, -1, -2)
