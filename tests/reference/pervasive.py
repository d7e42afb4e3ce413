"""Pervasive attention, cell by cell: Elbayad et al. 2018, section 3."""

import numpy as np

from tests.reference.normalizers import softmax


def dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0.0)


def each_cell(weights, name, grid):
    """Normalized over the channels of one cell, with the epsilon of Keras."""
    scale, shift = weights[f"{name}/gamma"], weights[f"{name}/beta"]
    output = np.zeros_like(grid)
    for t, s in np.ndindex(grid.shape[:2]):
        cell = grid[t, s]
        output[t, s] = (cell - cell.mean()) / np.sqrt(cell.var() + 1e-3) * scale + shift
    return output


def convolved(weights, name, grid):
    """Rows t, t-1, ... and columns around s; zeros beyond the grid."""
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
    rows, columns = kernel.shape[:2]
    output = np.zeros((*grid.shape[:2], kernel.shape[-1])) + bias
    for t, s in np.ndindex(grid.shape[:2]):
        for u, v in np.ndindex(rows, columns):
            row, column = t - (rows - 1) + u, s + v - (columns - 1) // 2
            if row >= 0 and 0 <= column < grid.shape[1]:
                output[t, s] += grid[row, column] @ kernel[u, v]
    return output


def network(weights, grid, cells, kind):
    """The blocks of one example's grid (T, S, C); cells (T, S) are real."""
    if kind == "residual":
        grid = dense(weights, "network/entry", grid)
    index = 0
    while f"network/norm_{index}/gamma" in weights:
        inner = each_cell(weights, f"network/norm_{index}", grid)
        inner = dense(weights, f"network/mix_{index}", np.maximum(inner, 0))
        inner = each_cell(weights, f"network/norm_in_{index}", inner)
        inner = np.maximum(inner, 0) * cells[..., None]
        name = f"network/convolution_{index}/convolution"
        new = convolved(weights, name, inner)
        grid = np.concatenate([grid, new], -1) if kind == "dense" else grid + new
        index += 1
    return grid * cells[..., None]


def read_row(weights, cells, reader, path="reading/"):
    """The real cells (n, C) of one row: what is read, and the weight of each."""
    count, channels = cells.shape
    if count == 0:
        return np.zeros(channels), np.zeros(0)
    if reader == "average":
        return cells.mean(axis=0), np.full(count, 1 / count)
    if reader == "attention":
        hidden = cells
        if f"{path}hidden/kernel" in weights:
            hidden = np.tanh(dense(weights, f"{path}hidden", cells))
        share = softmax(dense(weights, f"{path}score", hidden)[:, 0])
        return share @ cells, share
    if reader == "gated_max":
        plain, gate = np.split(dense(weights, f"{path}gates", cells), 2, axis=-1)
        cells = plain / (1 + np.exp(-gate))
    top = cells.max(axis=0)
    chosen = np.eye(count)[cells.argmax(axis=0)].T
    chosen[:, (cells == top).all(axis=0)] = 1 / count  # equal everywhere
    return top, chosen.mean(axis=1)


def pervasive(weights, inputs, value, visible, kind="dense", reader="max"):
    """Grid of pairs, network, reading; visible (B, T, S) hides sources."""
    batch, rows, columns = visible.shape
    outputs, maps = [], np.zeros(visible.shape)
    for b in range(batch):
        grid = np.zeros((rows, columns, inputs.shape[-1] + value.shape[-1]))
        for t, s in zip(*np.nonzero(visible[b]), strict=True):
            grid[t, s] = np.concatenate([inputs[b, t], value[b, s]])
        grid = network(weights, grid, visible[b], kind)
        found = []
        for t in range(rows):
            seen = np.flatnonzero(visible[b, t])
            read, share = read_row(weights, grid[t, seen], reader)
            found.append(read)
            maps[b, t, seen] = share
        outputs.append(found)
    return np.array(outputs), maps


def grid_reader(weights, inputs, visible, reader, prefixes=False):
    """One reader on a given grid (B, T, S, C)."""
    batch, rows, columns, channels = inputs.shape
    readings = columns if prefixes else 1
    output = np.zeros((batch, rows, readings, channels))
    maps = np.zeros((batch, rows, readings, columns))
    for b, t, p in np.ndindex(batch, rows, readings):
        end = p + 1 if prefixes else columns
        read, share = read_row(weights, inputs[b, t, :end], reader, path="")
        output[b, t, p], maps[b, t, p, :end] = read, share
    return (output, maps) if prefixes else (output[:, :, 0], maps[:, :, 0])
