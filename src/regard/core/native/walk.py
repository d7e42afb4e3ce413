r"""torch: one head and one block of rows at a time, each product by oneDNN.

    p  = softmax(s)
    dv = p^T g,   ds = p * (g v^T - sum(g * o)),   dq = ds k,   dk = ds^T q

Weights are softmax again in the gradient, so nothing of a table is kept. Faster than
torch's fused kernel, which multiplies by MKL, where heads are wide, tables large and no
single pairs hidden. Padding is a bias of the keys' product, so it costs nothing.
"""

import math
from itertools import product
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from regard.core.native.blocks import equal_rows
from regard.core.native.onednn import is_usable, multiplied

Tensor = Any
BLOCK, ROWS = 1 << 20, 64  # the most scores in a block, 4 MB, and the fewest rows
WIDTH, TABLE = 32, 1 << 18  # the narrowest heads, and the smallest table of a head


def is_faster(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """True where the walk beats torch's kernel, as measured."""
    width = min(query.shape[-1], value.shape[-1])
    table = query.shape[2] * key.shape[2]
    return width >= WIDTH and table >= TABLE and is_usable(query, key, value)


def walk(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, scale: float
) -> Tensor:
    """(B,H,T,D), (B,G,S,D), (B,G,S,Dv), real keys (B|1,1,1,S) -> context (B,H,T,Dv).

    An entry of the batch without real keys reads zeros.
    """
    return _Walk.apply(query, key, value, padding, scale)


class _Walk(torch.autograd.Function):
    @staticmethod
    def forward(query, key, value, padding, scale):
        context = _like(query, value.shape[-1])
        for place, group in _heads(query, key):
            known, given, bias = _memory(key, value, padding, group)
            keys = known * scale
            for rows in _blocks(query, key):
                weights = multiplied(query[place][rows], keys, bias)
                torch.softmax(weights, -1, out=weights)
                context[place][rows] = multiplied(weights, given.t())
        return context

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.scale = inputs
        ctx.save_for_backward(*tensors, output)

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream):
        query, key, value, padding, context = ctx.saved_tensors
        queries = _like(query, query.shape[-1])
        keys, values = (_like(each, each.shape[-1]).zero_() for each in (key, value))
        for place, group in _heads(query, key):
            known, given, bias = _memory(key, value, padding, group)
            known = known * ctx.scale
            sums = [known.new_zeros(each.shape[::-1]) for each in (known, given)]
            for rows in _blocks(query, key):
                asked, above = query[place][rows], upstream[place][rows]
                weights = multiplied(asked, known, bias)
                torch.softmax(weights, -1, out=weights)
                sums[1] += multiplied(above.t(), weights.t())  # (Dv, S)
                shift = (above * context[place][rows]).sum(-1, keepdim=True)
                slopes = multiplied(above, given).sub_(shift).mul_(weights)
                queries[place][rows] = multiplied(slopes, known.t())
                sums[0] += multiplied(asked.t(), slopes.t())  # (D, S)
            keys[group] += sums[0].t() * ctx.scale
            values[group] += sums[1].t()
        return queries, keys, values, None, None


def _heads(query, key):
    """(batch, head) and (batch, its group) of keys, one after another."""
    shared = query.shape[1] // key.shape[1]
    for batch, head in product(range(query.shape[0]), range(query.shape[1])):
        yield (batch, head), (batch, head // shared)


def _memory(key, value, padding, group):
    """Keys and values (S, D) of a group, zeros for padding, and the bias of scores.

    What padding holds must not be seen, so that 0 * NaN is not NaN.
    """
    known, given = key[group], value[group].contiguous()
    if padding is None:
        return known, given, None
    real = padding[group[0] % len(padding), 0, 0]
    if not real.any():
        return torch.zeros_like(known), torch.zeros_like(given), None
    bias = torch.where(real, 0.0, -math.inf)
    column = real[:, None]
    return torch.where(column, known, 0.0), torch.where(column, given, 0.0), bias


def _blocks(query, key):
    """Equal blocks of rows."""
    length = query.shape[2]
    size = equal_rows(length, key.shape[2], BLOCK, ROWS)
    return [slice(start, start + size) for start in range(0, length, size)]


def _like(vectors, width):
    """(B, H, T, width), with heads beside each other in memory, as layers join them."""
    batch, heads, length, _ = vectors.shape
    return vectors.new_empty(batch, length, heads, width).transpose(1, 2)
