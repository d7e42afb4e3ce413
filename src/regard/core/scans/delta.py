"""The delta rule: what stands under a key is replaced, not added to."""

from typing import Any

from jaxtyping import Float
from keras import ops

from regard.core.scans import chunks
from regard.core.scans.pairs import products
from regard.core.scans.segments import in_segments
from regard.core.scans.triangular import solve
from regard.core.scores import widen
from regard.core.shapes import sizes_of

Tensor = Any


def delta_scan(
    query: Float[Tensor, "b h t k"],
    key: Float[Tensor, "b h t k"],
    value: Float[Tensor, "b h t v"],
    strength: Float[Tensor, "b h t 1"],
    log_decay: Float[Tensor, "b h t _"] | None = None,
    state: chunks.State | None = None,
    chunk: int | None = None,
) -> tuple[Float[Tensor, "b h t v"], chunks.State]:
    r"""$S_t = A_t S_{t-1} + \beta_t k_t (v_t - (A_t S_{t-1})^\top k_t)^\top$.

    $A_t = \mathrm{diag}(e^{g_t})$ and $o_t = S_t^\top q_t$. Without decay it is the
    delta rule (Schlag et al. 2021, arXiv:2102.11174, section 4.2), with one decay per
    head the gated delta rule (Yang et al. 2024, arXiv:2412.06464, section 3.1), with
    one per channel Kimi delta attention (arXiv:2510.26692). The gate acts before the
    write. Chunks solve one triangular system for all that their positions write
    (Yang et al. 2024, arXiv:2406.06484, section 3.2). Keys should have length at most
    1 and strengths lie in (0, 1), or (0, 2); else the state explodes.

    Args:
        query: q, (B,H,T,K).
        key: k, (B,H,T,K).
        value: v, (B,H,T,V).
        strength: beta, (B,H,T,1); 0 writes nothing.
        log_decay: g at most 0, (B,H,T,1) or (B,H,T,K); None forgets nothing. Values
            below -50 count as -50.
        state: S before the first position, (B,H,K,V); None is zero.
        chunk: positions per chunk, by default 64, or 16 with a decay per channel.

    Returns:
        the outputs (B,H,T,V) and the state after the last position, float32 at least.
    """
    tensors = (query, key, value, strength, log_decay)
    return in_segments(_delta, tensors, state, chunk)


def _delta(query, key, value, strength, log_decay, state, chunk):
    """Of one segment."""
    length = sizes_of(query)[2]
    size = chunks.chunk_size(chunk, length, log_decay)
    state = chunks.empty_state(key, value) if state is None else widen(state)
    q, k, v, beta = (
        chunks.cut(widen(each), size) for each in (query, key, value, strength)
    )
    if log_decay is None:
        log_sum, entering, leaving, passing = None, k, k, ops.ones_like(k[..., :1, :])
        asking = q
    else:
        log_sum = ops.cumsum(chunks.cut(chunks.bounded(log_decay), size), axis=-2)
        last = log_sum[..., -1:, :]
        entering, asking = k * ops.exp(log_sum), q * ops.exp(log_sum)
        leaving, passing = k * ops.exp(last - log_sum), ops.exp(last)
    # What position i writes is u_i = beta_i (v_i - what stands under k_i), where that
    # holds what earlier positions of the chunk wrote: (I + beta L) u = beta (v - K S).
    system = ops.eye(size, dtype=q.dtype) + beta * products(k, k, log_sum, strict=True)
    sides = ops.concatenate([beta * v, beta * entering], axis=-1)
    solved = solve(system, sides)
    width = value.shape[-1]
    fresh, known = solved[..., :width], solved[..., width:]  # u = fresh - known S
    turned = ops.swapaxes(leaving, -1, -2)
    transition = _diagonal(passing, k.shape[-1]) - ops.matmul(turned, known)
    before, after = chunks.chained(transition, ops.matmul(turned, fresh), state)
    written = fresh - ops.matmul(known, before)
    inside = ops.matmul(products(q, k, log_sum), written)
    outputs = inside + ops.matmul(asking, before)
    return chunks.joined(outputs, length), after


def _diagonal(factors, width):
    """(…, 1, K) or (…, 1, 1) -> (…, K, K)."""
    return ops.eye(width, dtype=factors.dtype) * factors
