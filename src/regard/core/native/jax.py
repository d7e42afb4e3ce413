r"""JAX: one head at a time, one block of rows after another, with its own gradient.

XLA multiplies single matrices much faster than batches of them, and a block of scores
that fits the cache is hardly written to memory. The gradient computes scores again:

    p  = exp(s - log)               the log-sum-exp is all that is kept of a row
    dv = p^T g,   ds = p * (g v^T - sum(g * o)),   dq = ds k,   dk = ds^T q

with keys as rows and queries as columns: XLA is slow where a product sums over the rows
of its left factor. Dao et al. 2022, "FlashAttention", arXiv:2205.14135, section 3.1.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from regard.core.native.blocks import equal_rows
from regard.core.native.pairs import EMPTY, HIDDEN, pairs_of

Tensor = Any
APPLIES = False  # a bias and a scale
FORWARD, BACKWARD = 1 << 20, 1 << 19  # scores in a block, 4 MB and 2 MB


def attend(
    query: Tensor, key: Tensor, value: Tensor, visibility: Any, bias=None
) -> Tensor:
    """(B,H,T,D), (B,G,S,D), (B,G,S,Dv) -> context (B,H,T,Dv)."""
    length, memory = query.shape[2], key.shape[2]
    blocks = tuple(equal_rows(length, memory, most) for most in (FORWARD, BACKWARD))
    longest = max(-(-length // rows) * rows for rows in blocks)
    tensors, seen = pairs_of(visibility, length, longest)
    return _compiled(query, key, value, tensors, seen, blocks)


@partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def _attend(query, key, value, tensors, seen, blocks):
    return _forward(query, key, value, tensors, seen, blocks)[0]


def _forward(query, key, value, tensors, seen, blocks):
    cut = _Cut(query.shape, key.shape, blocks[0])

    def head(plane, queries, keys, values):
        def block(place, asked):
            mask = cut.mask(seen, tensors, plane, place)
            scores = asked @ keys.T  # (rows, S)
            scores = scores if mask is None else jnp.where(mask, scores, HIDDEN)
            top = jnp.max(scores, axis=-1, keepdims=True)
            top = jnp.where(top <= EMPTY, 0.0, top)
            powers = jnp.exp(scores - top)
            total = jnp.sum(powers, axis=-1, keepdims=True)
            total = jnp.where(total == 0, 1.0, total)
            return (powers @ values) / total, top + jnp.log(total)

        return lax.map(lambda each: block(*each), (cut.places, queries))

    inputs = (cut.planes, cut.split(query), cut.whole(key), cut.whole(value))
    context, logs = map(cut.join, lax.map(lambda each: head(*each), inputs))
    return context, (query, key, value, tensors, context, logs)


def _backward(seen, blocks, kept, upstream):
    query, key, value, tensors, context, logs = kept
    cut = _Cut(query.shape, key.shape, blocks[1])
    shift = jnp.sum(context * upstream, axis=-1, keepdims=True)

    def head(plane, queries, keys, values, *rest):
        def block(sums, each):
            place, asked, above, log, shift = each
            mask = cut.mask(seen, tensors, plane, place)
            weights = jnp.exp(keys @ asked.T - log.T)  # (S, rows)
            slopes = weights * (values @ above.T - shift.T)
            if mask is not None:  # both: a row that sees NaN has a shift of NaN
                weights, slopes = (jnp.where(mask.T, x, 0.0) for x in (weights, slopes))
            sums = (sums[0] + slopes @ asked, sums[1] + weights @ above)
            return sums, slopes.T @ keys

        start = (jnp.zeros_like(keys), jnp.zeros_like(values))
        (keys, values), queries = lax.scan(block, start, (cut.places, queries, *rest))
        return queries, keys, values

    blocks = map(cut.split, (upstream, logs, shift))
    memory = (cut.whole(key), cut.whole(value))
    inputs = (cut.planes, cut.split(query), *memory, *blocks)
    queries, keys, values = lax.map(lambda each: head(*each), inputs)
    return cut.join(queries), keys.reshape(key.shape), values.reshape(value.shape), None


_attend.defvjp(_forward, _backward)
# Compiled once for equal shapes and scopes, in eager calls too.
_compiled = jax.jit(_attend, static_argnums=(4, 5))


class _Cut:
    """Planes, one for each group of heads, and blocks of rows within a plane."""

    def __init__(self, query, key, rows):
        self.batch, self.heads, self.length, _ = query
        self.groups = key[1]
        self.rows, self.count = rows, -(-self.length // rows)
        self.planes = jnp.arange(self.batch * self.groups)
        self.places = jnp.arange(self.heads // self.groups * self.count)

    def mask(self, seen, tensors, plane, place):
        """Which keys a block of rows sees, (rows, S), or None."""
        batch, group = plane // self.groups, plane % self.groups
        head = group * (self.heads // self.groups) + place // self.count
        start = place % self.count * self.rows
        return seen.of(tensors, start, self.rows, batch, head)

    def split(self, tensor):
        """(B, H, T, X) -> (B * G, blocks, rows, X), the last rows filled with zeros."""
        missing = self.count * self.rows - self.length
        tensor = jnp.pad(tensor, ((0, 0), (0, 0), (0, missing), (0, 0)))
        shape = (len(self.planes), len(self.places), self.rows, tensor.shape[-1])
        return tensor.reshape(shape)

    def join(self, tensor):
        """Undo ``split``."""
        shape = (self.batch, self.heads, self.count * self.rows, tensor.shape[-1])
        return tensor.reshape(shape)[:, :, : self.length]

    def whole(self, tensor):
        """(B, G, S, X) -> (B * G, S, X)."""
        return tensor.reshape(len(self.planes), *tensor.shape[2:])
