"""When each token was said, by the cheapest walk through an alignment."""

from __future__ import annotations

import numpy as np

__all__ = ["cheapest_path", "token_frames"]

_TINY = 1e-12


def token_frames(weights: np.ndarray, width: int = 7) -> np.ndarray:
    """``(T, 2)``: the first frame of each token, and one past its last.

    Each frame of a head is standardised over the tokens, smoothed by a median over
    ``width`` frames, heads are averaged, and the walk through the map that gathers most
    gives every token its run of frames: dynamic time warping, as Whisper's code does.
    A token that the walk crosses within one frame shares it with the next.

    Multiply by hop x subsampling / rate for seconds.

    Args:
        weights: ``(H, T, S)`` of the heads that align, without special tokens, or
            ``(T, S)``; columns are frames.
        width: odd; maps with no more than half as many frames are not smoothed.

    Raises:
        ValueError: another shape, or a width that is even.
    """
    table = np.asarray(weights, np.float64)
    table = table[None] if table.ndim == 2 else table
    if table.ndim != 3 or not table.size:
        raise ValueError(
            "weights must have shape (heads, token, frame) or (token, frame). Got "
            f"{np.shape(weights)}."
        )
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width must be an odd number of frames. Got {width}.")
    spread = table.std(axis=1, keepdims=True)
    table = (table - table.mean(axis=1, keepdims=True)) / np.maximum(spread, _TINY)
    tokens, frames = cheapest_path(-_smoothed(table, width).mean(axis=0))
    numbers = np.arange(table.shape[1])
    starts = frames[np.searchsorted(tokens, numbers)]
    ends = frames[np.searchsorted(tokens, numbers, side="right") - 1] + 1
    return np.stack([starts, ends], axis=1)


def cheapest_path(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the walk from the first to the last cell that costs least.

    A step goes to the next row, the next column or both; of equal ones along the row.
    """
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    for row in range(rows):
        for column in range(columns):
            before = min(
                total[row, column], total[row, column + 1], total[row + 1, column]
            )
            total[row + 1, column + 1] = costs[row, column] + before
    row, column = rows, columns
    path = [(row, column)]
    while (row, column) != (1, 1):
        along = total[row, column - 1]
        both, down = total[row - 1, column - 1], total[row - 1, column]
        if both < min(down, along):
            row, column = row - 1, column - 1
        elif down < min(both, along):
            row -= 1
        else:
            column -= 1
        path.append((row, column))
    found: np.ndarray = np.array(path[::-1]) - 1
    return found[:, 0], found[:, 1]


def _smoothed(table: np.ndarray, width: int) -> np.ndarray:
    """The median over ``width`` frames; the ends are mirrored."""
    half = width // 2
    if table.shape[-1] <= half:
        return table
    padded = np.pad(table, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)
    return np.median(windows, axis=-1)
