"""Many small triangular systems at once."""

from typing import Any

import keras
from keras import ops

from regard.core.shapes import sizes_of

Tensor = Any


def solve(system: Tensor, sides: Tensor) -> Tensor:
    """x of ``system`` x = ``sides`` for lower triangles with ones on the diagonal.

    JAX solves one system after another on a processor, many times slower than it
    multiplies by their inverses.
    """
    if keras.backend.backend() == "jax":
        return ops.matmul(triangular_inverse(system), sides)
    return ops.solve_triangular(system, sides, lower=True)


def triangular_inverse(matrix: Tensor) -> Tensor:
    r"""Of a lower triangular matrix (…, N, N) with ones on the diagonal, exactly.

    Blocks of twice the size follow from those of half the size:

        [A 0; B C]^-1 = [A^-1 0; -C^-1 B A^-1 C^-1]

    which is forward substitution in log2 N steps.
    """
    *lead, size, _ = sizes_of(matrix)
    whole = 1 << (size - 1).bit_length()
    rest = [(0, whole - size)] * 2
    padded = ops.pad(matrix, [(0, 0)] * len(lead) + rest)
    inverse = ops.ones((*lead, whole, 1, 1), dtype=matrix.dtype)  # of blocks of one
    half = 1
    while half < whole:
        count = whole // (2 * half)
        blocks = ops.reshape(padded, (*lead, count, 2 * half, count, 2 * half))
        own = _diagonal(blocks)  # (…, count, 2 half, 2 half)
        pairs = ops.reshape(inverse, (*lead, count, 2, half, half))
        first, second = pairs[..., 0, :, :], pairs[..., 1, :, :]
        below = own[..., half:, :half]
        below = -ops.matmul(ops.matmul(second, below), first)
        top = ops.concatenate([first, ops.zeros_like(first)], axis=-1)
        bottom = ops.concatenate([below, second], axis=-1)
        inverse = ops.concatenate([top, bottom], axis=-2)
        half *= 2
    return inverse[..., 0, :size, :size]


def _diagonal(blocks):
    """(…, N, X, N, X) -> (…, N, X, X)."""
    return ops.moveaxis(ops.diagonal(blocks, axis1=-4, axis2=-2), -1, -3)
