"""Convolutions over grids of pairs."""

from typing import Any

import numpy as np

from regard.seeing.elementary import layer_norm

Array = Any


def planar(image: Array, kernel: Array, before: tuple[int, int]) -> Array:
    """(H, W, C) with a kernel (rows, columns, C, F): as many out, zeros outside.

    ``before``: how many rows and columns of the kernel lie before a place.
    """
    rows, columns = kernel.shape[:2]
    fill = [(b, n - 1 - b) for b, n in zip(before, (rows, columns), strict=True)]
    wide = np.pad(image, [*fill, (0, 0)])
    height, width = image.shape[:2]
    parts = [
        wide[u : u + height, v : v + width] @ kernel[u, v]
        for u, v in np.ndindex(rows, columns)
    ]
    return np.sum(parts, axis=0)


def grid_block(grid: Array, cells: Array, weights: Any, number: int) -> Array:
    """What one block of a pervasive network makes of a grid (T, S, C)."""
    inner = np.maximum(_cell_norm(grid, weights, f"norm_{number}"), 0.0)
    inner = _dense(inner, weights, f"mix_{number}")
    inner = np.maximum(_cell_norm(inner, weights, f"norm_in_{number}"), 0.0)
    inner = inner * cells[..., None]
    path = f"network_convolution_{number}_convolution"
    kernel = weights.get(f"{path}_kernel")
    rows, columns = kernel.shape[:2]
    found = planar(inner, kernel, (rows - 1, (columns - 1) // 2))
    return found + weights.get(f"{path}_bias")


def grid_network(
    grid: Array, cells: Array, weights: Any, kind: str, depth: int
) -> Array:
    """(T, S, C) through all blocks, which stand side by side or are added."""
    if kind == "residual":
        grid = _dense(grid, weights, "entry")
    for number in range(depth):
        new = grid_block(grid, cells, weights, number)
        grid = np.concatenate([grid, new], -1) if kind == "dense" else grid + new
    return grid * cells[..., None]


def _dense(x: Array, weights: Any, name: str) -> Array:
    path = f"network_{name}"
    return x @ weights.get(f"{path}_kernel") + weights.get(f"{path}_bias")


def _cell_norm(x: Array, weights: Any, name: str) -> Array:
    """Over the channels of each cell, with Keras' epsilon."""
    path = f"network_{name}"
    gamma, beta = (weights.get(f"{path}_{each}") for each in ("gamma", "beta"))
    return layer_norm(x, gamma, beta, 1e-3)


GRIDS = {each.__name__: each for each in (planar, grid_block, grid_network)}
