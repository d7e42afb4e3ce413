"""Functions of mechanisms over images."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = Any


def around(place: Array, height: int, width: int) -> Array:
    """(…, 2) places (x, y) in pixels -> (…, 4) numbers of the pixels about them.

    Line by line; where there is no pixel, that of the nearest edge.
    """
    x, y = _corners(place)
    row, column = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    return (row * width + column).astype(int)


def around_shares(place: Array, height: int, width: int) -> Array:
    """How much each of those four counts, (…, 4); nothing beyond the image."""
    x, y = _corners(place)
    near = (1 - np.abs(x - place[..., :1])) * (1 - np.abs(y - place[..., 1:]))
    return near * ((x >= 0) & (x < width) & (y >= 0) & (y < height))


def _corners(place: Array) -> tuple[Array, Array]:
    """Columns and rows of the pixels above left, above right, below left and right."""
    left = np.floor(place)
    return left[..., :1] + [0, 1, 0, 1], left[..., 1:] + [0, 0, 1, 1]


def level_sizes(whole: Any, levels: int) -> Array:
    """(levels, 2): width and height of each image."""
    images = [whole.get(f"level_{n}") for n in range(levels)]
    return np.array([[each.shape[1], each.shape[0]] for each in images], "float64")


def read_levels(whole: Any, places: Array, head: int) -> Array:
    """(levels, points, 2) places in pixels -> (levels * points, D), read bilinearly."""
    images = [whole.get(f"level_{n}")[..., head, :] for n in range(len(places))]
    return np.concatenate(
        [_between(image, at) for image, at in zip(images, places, strict=True)]
    )


def _between(image: Array, place: Array) -> Array:
    """What lies in an image (H, W, D) at places (…, 2) in pixels: (…, D)."""
    height, width, size = image.shape
    four = image.reshape(-1, size)[around(place, height, width)]
    return np.sum(four * around_shares(place, height, width)[..., None], axis=-2)


def read_between(pixels: Array, sizes: Any, points: Any, places: Array) -> Array:
    """Images one after another in pixels (S, D), read at places (P, 2): (P, D).

    ``sizes``: height and width of each; ``points``: how many places lie in each of
    them, or in all alike; places are in parts of their image.
    """
    found = [
        _between(image, at * image.shape[1::-1] - 0.5)
        for image, at in _one_by_one(pixels, sizes, points, places)
    ]
    return np.concatenate(found)


def read_nearest(pixels: Array, sizes: Any, points: Any, places: Array) -> Array:
    """The same, each place being the nearest pixel, at the edge beyond the image.

    D-FINE's own rounding: pixel n is nearest to n / size, not to its centre.
    """
    found = []
    for image, at in _one_by_one(pixels, sizes, points, places):
        width, height = image.shape[1::-1]
        column, row = np.floor(at * [width, height] + 0.5).astype(int).T
        row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
        found.append(image[row, column])
    return np.concatenate(found)


def _one_by_one(
    pixels: Array, sizes: Any, points: Any, places: Array
) -> Iterator[tuple[Array, Array]]:
    """Each image (H, W, D) with the places in it."""
    counts = np.broadcast_to(points, len(sizes))
    images = np.split(pixels, np.cumsum([h * w for h, w in sizes])[:-1])
    parts = np.split(places, np.cumsum(counts)[:-1])
    for size, image, at in zip(sizes, images, parts, strict=True):
        yield image.reshape(*size, -1), at


def window_place(row: int, column: int, image: Array, window: Array, shift: Array):
    """Which window of an image (H, W, …) a pixel falls into, and where in it."""
    tall, wide = (
        -(-size // side) * side
        for size, side in zip(image.shape[:2], window, strict=True)
    )
    down, right = (row - shift[0]) % tall, (column - shift[1]) % wide
    number = down // window[0] * (wide // window[1]) + right // window[1]
    return np.array([number, down % window[0] * window[1] + right % window[1]])


def cut_windows(image: Array, window: Array, shift: Array) -> Array:
    """(H, W, …) -> (windows, places, …): padded, rolled up and to the left, cut."""
    fill = [(0, -size % side) for size, side in zip(image.shape, window, strict=False)]
    image = np.pad(image, fill + [(0, 0)] * (image.ndim - 2))
    image = np.roll(image, (-shift[0], -shift[1]), axis=(0, 1))
    down, right = image.shape[0] // window[0], image.shape[1] // window[1]
    apart = image.reshape(down, window[0], right, window[1], *image.shape[2:])
    return np.swapaxes(apart, 1, 2).reshape(
        down * right, window[0] * window[1], *image.shape[2:]
    )


def sides(image: Array, window: Array, shift: Array) -> Array:
    """(windows, places): numbers, alike where pixels stood together before the roll."""
    tall, wide = (
        -(-size // side) * side
        for size, side in zip(image.shape[:2], window, strict=True)
    )
    came = 2 * (np.arange(tall)[:, None] < shift[0]) + (np.arange(wide) < shift[1])
    return cut_windows(came, window, shift)


def takers(values: Array, seen: Array) -> Array:
    """(S,): the share of channels (S, C) whose largest value stands at each source.

    Of equal ones the first; a channel that is equal everywhere is shared out evenly.
    """
    lowered = np.where(seen[:, None], values, -np.inf)
    equal = (lowered == lowered.max(0)) & seen[:, None]
    first = equal & (np.cumsum(equal, 0) == 1)
    even = equal / np.maximum(equal.sum(0), 1)
    everywhere = np.all(equal | ~seen[:, None], 0)
    return np.mean(np.where(everywhere, even, first), -1)


def pooled(pixels: Array, shown: Array, names: Any) -> Array:
    """(N, C) -> (names, C): each channel over the pixels shown, in several ways."""
    if not np.any(shown):
        return np.zeros((len(names), pixels.shape[1]))
    return np.stack([_POOLS[name](pixels[shown]) for name in names])


_POOLS: dict[str, Callable[[Array], Array]] = {
    "average": lambda pixels: np.mean(pixels, 0),
    "max": lambda pixels: np.max(pixels, 0),
    "length": lambda pixels: np.sqrt(np.sum(np.square(pixels), 0)),
    "log_sum_exp": lambda pixels: np.logaddexp.reduce(pixels, 0),
}
PICTURES: dict[str, Callable[..., Array]] = {
    each.__name__: each
    for each in (
        *(around, around_shares, level_sizes, read_levels, window_place, cut_windows),
        *(read_between, read_nearest, sides, takers, pooled),
    )
}
