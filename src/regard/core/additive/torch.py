"""torch: operations in place on tiles that stay in the cache.

r = 1/(1 + e^{2q} e^{2k}), where the powers are taken once for a query or a key; where
they might overflow or vanish, r = sigmoid(-2(q + k)), which cannot.
"""

from typing import Any

import torch

from regard.core.native.calls import is_transformed

Tensor = Any
UNITS = 1 << 19  # of a tile, 2 MB, half of it for each of two cores
KEYS = 512  # of a tile at most
LEAST = 1 << 14  # units of pairs of one head of one example
REACH = 40.0  # e^(2 * 40) and e^(-2 * 40) are float32; their products may be 0 or inf


def pays(planes: int | None, units: int) -> bool:
    """True for so many heads of examples, and units of pairs in each of them.

    Never for a graph that leaves torch, or under ``torch.func`` and its like.
    """
    watched = torch.compiler.is_compiling() or is_transformed()
    return units >= LEAST and not watched


def kernel(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """(P, T, D), (P, S, D), (D,) -> sums (P, T, S)."""
    return _Kernel.apply(query, key, vector)


class _Kernel(torch.autograd.Function):
    @staticmethod
    def forward(context, query, key, vector):
        context.save_for_backward(query, key, vector)
        scores = query.new_empty(len(query), query.shape[1], key.shape[1])
        for plane, rows, columns, places in _tiles(query, key):
            scores[plane, rows, columns] = places @ (-2.0 * vector)
        return scores.add_(vector.sum())

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, upstream):
        query, key, vector = context.saved_tensors
        queries, keys = torch.zeros_like(query), torch.zeros_like(key)
        sums, slopes = torch.zeros_like(vector), None
        for plane, rows, columns, places in _tiles(query, key):
            given = upstream[plane, rows, columns].contiguous()
            sums += given.view(-1) @ places.view(-1, len(vector))
            if slopes is None or slopes.shape != places.shape:
                slopes = torch.empty_like(places)
            torch.addcmul(places, places, places, value=-1, out=slopes)  # r(1 - r)
            slopes *= given[..., None]
            queries[plane, rows] += slopes.sum(1)
            keys[plane, columns] += slopes.sum(0)
        scale = 4.0 * vector
        return queries * scale, keys * scale, upstream.sum() - 2.0 * sums


def _tiles(query, key):
    """Every plane, its rows and columns, and their r (rows, columns, D)."""
    if _fits(query) and _fits(key):
        fill, query, key = _by_powers, (2.0 * query).exp_(), (2.0 * key).exp_()
    else:
        fill, query, key = _by_sums, -2.0 * query, -2.0 * key
    (planes, length, width), memory = query.shape, key.shape[1]
    columns = min(memory, KEYS)
    rows = min(length, max(1, UNITS // (columns * width)))
    buffer = query.new_empty(rows * columns * width)
    for plane in range(planes):
        for top in range(0, length, rows):
            for left in range(0, memory, columns):
                down, right = min(top + rows, length), min(left + columns, memory)
                shape = (down - top, right - left, width)
                places = buffer[: shape[0] * shape[1] * width].view(shape)
                fill(query[plane, top:down, None], key[plane, None, left:right], places)
                yield plane, slice(top, down), slice(left, right), places


def _fits(numbers):
    """True where powers can be taken; never with NaN."""
    return not numbers.numel() or bool(numbers.abs().amax() <= REACH)


def _by_powers(asked, met, places):
    torch.addcmul(asked.new_ones(()), asked, met, out=places).reciprocal_()


def _by_sums(asked, met, places):
    torch.add(asked, met, out=places).sigmoid_()
