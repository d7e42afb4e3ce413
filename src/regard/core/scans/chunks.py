"""Cutting a sequence into chunks, and what passes from each chunk to the next."""

from typing import Any

import keras
from jaxtyping import Float
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import is_static, sizes_of

Tensor = Any
State = Float[Tensor, "b h k v"]
# Chains of up to so many chunks are written out, longer ones are a loop.
WRITTEN_OUT = 8
SCALAR_CHUNK = 64  # where all channels of a head decay alike
CHANNEL_CHUNK = 16  # where each has its own decay: pairs are compared per channel
_LOWEST_LOG = -50.0  # below it a factor is zero in float32 for every purpose


def bounded(log_decay):
    """Logarithms of factors, so that a factor of zero leaves no infinity behind."""
    return ops.maximum(widen(log_decay), _LOWEST_LOG)


def cut(tensor, size):
    """(B, H, T, D) -> (B, H, N, size, D), the last chunk filled with zeros.

    Zeros write nothing and forget nothing, so the state after them is that before.
    """
    batch, heads, length, width = sizes_of(tensor)
    count = (length + size - 1) // size
    padding = count * size - length
    tensor = ops.pad(tensor, [(0, 0), (0, 0), (0, padding), (0, 0)])
    return ops.reshape(tensor, (batch, heads, count, size, width))


def joined(chunks, length):
    """(B, H, N, C, D) -> (B, H, T, D)."""
    batch, heads, _, _, width = sizes_of(chunks)
    return ops.reshape(chunks, (batch, heads, -1, width))[:, :, :length]


def chunk_size(wanted, length, log_decay):
    """The wanted size, or one that suits the decay; never longer than the input."""
    channels = log_decay is not None and log_decay.shape[-1] != 1
    size = wanted or (CHANNEL_CHUNK if channels else SCALAR_CHUNK)
    return max(1, min(size, length)) if is_static(length) else size


def empty_state(query, value):
    """Zeros (B, H, K, V) in float32 at least."""
    first = widen(query)[:, :, :1, :, None] * widen(value)[:, :, :1, None, :]
    return ops.zeros_like(ops.sum(first, axis=2))


def chained(transition, addition, state):
    r"""$S_{n+1} = F_n S_n + Q_n$ from chunk to chunk.

    Args:
        transition: F. None for the identity, (B,H,N,K,1) or (B,H,N,1,1) for factors,
            (B,H,N,K,K) for matrices.
        addition: Q, (B,H,N,K,V).
        state: S before the first chunk, (B,H,K,V).

    Returns:
        the states before every chunk, (B,H,N,K,V), and the one after the last.
    """
    count = sizes_of(addition)[2]
    if transition is None:
        sums = ops.expand_dims(state, 2) + ops.cumsum(addition, axis=2)
        before = ops.concatenate([ops.expand_dims(state, 2), sums[:, :, :-1]], axis=2)
        return before, sums[:, :, -1]
    if is_static(count) and count <= WRITTEN_OUT:
        before = []
        for n in range(count):
            before.append(state)
            state = _moved(transition[:, :, n], state) + addition[:, :, n]
        return ops.stack(before, axis=2), state
    return _looped(transition, addition, state)


def _moved(transition, state):
    """F S, for factors or a matrix; (B, H, ·, ·)."""
    matrix = transition.shape[-1] != 1
    return ops.matmul(transition, state) if matrix else transition * state


def _looped(transition, addition, state):
    """The chain as a loop: Keras' RNN is the one that trains on every backend."""
    batch, heads, count, keys, values = sizes_of(addition)
    rows, columns = transition.shape[-2:]
    parts = []
    for tensor, size in ((transition, rows * columns), (addition, keys * values)):
        tensor = ops.moveaxis(tensor, 1, 2)  # (B, N, H, ·, ·)
        parts.append(ops.reshape(tensor, (batch, count, heads * size)))
    split = heads * rows * columns

    def step(inputs, states):
        now = ops.reshape(states[0], (-1, heads, keys, values))
        factor = ops.reshape(inputs[:, :split], (-1, heads, rows, columns))
        added = ops.reshape(inputs[:, split:], (-1, heads, keys, values))
        after = ops.reshape(_moved(factor, now) + added, (-1, heads * keys * values))
        return states[0], [after]

    loop = keras.layers.RNN(
        _Body(step, heads * keys * values),
        return_sequences=True,
        return_state=True,
        dtype="float32",
    )
    start = ops.reshape(state, (batch, heads * keys * values))
    before, last = loop(ops.concatenate(parts, axis=-1), initial_state=[start])
    before = ops.reshape(before, (batch, count, heads, keys, values))
    return ops.moveaxis(before, 2, 1), ops.reshape(last, (batch, heads, keys, values))


class _Body:
    """What Keras' RNN wants of a cell, around a function."""

    compute_dtype = "float32"

    def __init__(self, step, width):
        self.step, self.state_size = step, [width]

    def __call__(self, inputs, states):
        return self.step(inputs, states)

    call = __call__
