"""Small helpers about shapes, static where they are known and dynamic where not.

Letters used throughout: B batch, H heads, T queries, S keys, D width.
"""

from collections.abc import Iterable
from typing import Any

from keras import ops

Tensor = Any


def rank_of(tensor: Tensor) -> int:
    """Number of axes."""
    return len(tensor.shape)


def sizes_of(tensor: Tensor) -> tuple:
    """The shape: Python integers where known, scalar tensors elsewhere."""
    return tuple(ops.shape(tensor))


def mismatch(shape, expected, ones: Iterable[int] = ()) -> bool:
    """True where a known size differs from the expected known size.

    Axes listed in ``ones`` may also have size 1.
    """
    if len(shape) != len(expected):
        return True
    for axis, (size, wanted) in enumerate(zip(shape, expected, strict=True)):
        if size is None or not isinstance(wanted, int):
            continue
        if size != wanted and not (axis in tuple(ones) and size == 1):
            return True
    return False


def is_static(*sizes) -> bool:
    """True where every size is a Python integer."""
    return all(isinstance(size, int) for size in sizes)


def with_head(tensor: Tensor) -> Tensor:
    """(B, T, D) -> (B, 1, T, D)."""
    return ops.expand_dims(tensor, 1)


def without_head(tensor: Tensor) -> Tensor:
    """(B, 1, T, D) -> (B, T, D)."""
    return ops.squeeze(tensor, 1)


def whole_part(numbers: Tensor, divisor: int) -> Tensor:
    """How often an integer divisor goes into whole numbers below 2**23, rounded down.

    By floats: graphs that torch exports round negative quotients of integers up.
    """
    quotients = (ops.cast(numbers, "float32") + 0.5) / divisor
    return ops.cast(ops.floor(quotients), "int32")


def taken(tensor, numbers, axis):
    """The places with these numbers of an axis; one place is shared by all, as None."""
    if tensor is None or tensor.shape[axis] == 1:
        return tensor
    return ops.take(tensor, numbers, axis=axis)
