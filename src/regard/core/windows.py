"""Cutting images into windows, and which pixels of a shifted window belong together."""

from typing import Any

from keras import ops

from regard.core.shapes import sizes_of

Tensor = Any


def padded(tensor: Tensor, window: tuple[int, int]) -> Tensor:
    """Zeros below and on the right of (B, H, W, …), up to whole windows."""
    height, width = sizes_of(tensor)[1:3]
    below = ((0, -height % window[0]), (0, -width % window[1]))
    rest = ((0, 0),) * (len(tensor.shape) - 3)
    return ops.pad(tensor, ((0, 0), *below, *rest))


def cut(tensor: Tensor, window: tuple[int, int]) -> Tensor:
    """(B, H, W, …) -> (B * windows, places of a window, …), line by line."""
    batch, height, width, *rest = sizes_of(tensor)
    down, right = height // window[0], width // window[1]
    apart = ops.reshape(tensor, (batch, down, window[0], right, window[1], *rest))
    order = (0, 1, 3, 2, 4, *range(5, 5 + len(rest)))
    return ops.reshape(
        ops.transpose(apart, order),
        (batch * down * right, window[0] * window[1], *rest),
    )


def joined(windows: Tensor, window: tuple[int, int], batch, height, width) -> Tensor:
    """Undo ``cut`` for an image of this height and width."""
    down, right = height // window[0], width // window[1]
    channels = sizes_of(windows)[-1]
    apart = ops.reshape(windows, (batch, down, right, *window, channels))
    apart = ops.transpose(apart, (0, 1, 3, 2, 4, 5))
    return ops.reshape(apart, (batch, height, width, channels))


def rolled(tensor: Tensor, shift: tuple[int, int]) -> Tensor:
    """Up and to the left by ``shift``; what leaves comes back at the other end."""
    return ops.roll(tensor, (-shift[0], -shift[1]), axis=(1, 2))


def belong_together(height, width, window, shift) -> Tensor:
    """Which pixels of a window were neighbours before the roll, (windows, P, P).

    Rolling brings the first rows behind the last ones and the first columns beside the
    last; in the windows there, only pixels that came the same way may see each other.
    """
    down = ops.cast(ops.arange(height) >= height - shift[0], "int32")
    right = ops.cast(ops.arange(width) >= width - shift[1], "int32")
    came = 2 * ops.expand_dims(down, 1) + ops.expand_dims(right, 0)
    came = cut(ops.reshape(came, (1, height, width, 1)), window)[..., 0]
    return ops.equal(ops.expand_dims(came, 1), ops.expand_dims(came, 2))
