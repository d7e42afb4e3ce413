"""JAX: one head of one example after another, compiled as a whole."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from regard.core.additive import plain, tiles

Tensor = Any
LEAST = 1 << 20  # units of all pairs, whose gradient is worth compiling


def pays(planes: int | None, units: int) -> bool:
    """True for so many heads of examples, and units of pairs in each of them."""
    return (planes or 1) * units >= LEAST


@jax.custom_vjp
@jax.jit
def kernel(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """(P, T, D), (P, S, D), (D,) -> sums (P, T, S)."""
    if plain.suits(query, key):
        return plain.sums(query, key, vector)
    length, memory = query.shape[1], key.shape[1]
    query, key, vector = tiles.filled(query, key, vector)
    found = lax.map(lambda each: tiles.scores(each[0], each[1], vector), (query, key))
    return found[:, :length, :memory]


def _forward(query, key, vector):
    return kernel(query, key, vector), (query, key, vector)


@jax.jit
def _backward(kept, upstream):
    query, key, vector = tiles.filled(*kept)
    below, right = (
        filled.shape[1] - size
        for filled, size in zip((query, key), upstream.shape[1:], strict=True)
    )
    upstream = jnp.pad(upstream, ((0, 0), (0, below), (0, right)))
    found = lax.map(
        lambda each: tiles.slopes(each[0], each[1], vector, each[2]),
        (query, key, upstream),
    )
    found = (*found[:2], jnp.sum(found[2], axis=0))
    return tuple(
        each[tuple(slice(size) for size in given.shape)]
        for each, given in zip(found, kept, strict=True)
    )


kernel.defvjp(_forward, _backward)
