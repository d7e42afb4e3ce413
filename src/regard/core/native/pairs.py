"""Which keys some rows may see, worked out where and when it is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from regard.core.scopes import Grid, Scope
from regard.core.shapes import sizes_of

Tensor = Any
HIDDEN = -3e38  # the score of what may not be seen
EMPTY = -1e38  # a row whose largest score is below sees nothing
_PLACES = tuple(Grid.__dataclass_fields__)


@dataclass(frozen=True)
class Seen:
    """What a mask is made of besides tensors; hashable, so that it can be static."""

    scopes: tuple[Scope, ...]
    masks: tuple[str, ...]
    length: int | None  # of the queries, where blocks of rows reach beyond it

    def of(self, tensors: Mapping[str, Tensor], start, rows, batch=None, head=None):
        """The mask of ``rows`` rows from ``start``, or None where all is seen.

        Of one entry of the batch and one head (rows, S), or of all (B|1, H|1, rows, S).
        """
        lead = () if batch is None else (batch, head)
        found = None
        for name in self.masks:
            found = _and(found, _cut(tensors[name], (*lead, start), rows))
        if self.scopes:
            grid = self._grid(tensors, start, rows, batch)
            for scope in self.scopes:
                allowed = scope.allows(grid)  # (T, S) | (B, T, S)
                if batch is None:
                    while len(allowed.shape) < 3:
                        allowed = ops.expand_dims(allowed, 0)
                    allowed = ops.expand_dims(allowed, 1)
                found = _and(found, allowed)
        if self.length is not None:
            real = start + ops.arange(rows, dtype="int32") < self.length
            found = _and(found, ops.expand_dims(real, -1))
        return found

    def _grid(self, tensors, start, rows, batch):
        """The grid of these rows."""
        parts = {}
        for name in _PLACES:
            tensor = tensors[name]
            one = batch is not None and len(tensor.shape) == 2
            if name.startswith("query"):
                tensor = _rows(tensor, len(tensor.shape) - 1, start, rows)
            parts[name] = _rows(tensor, 0, batch, 1)[0] if one else tensor
        return Grid(**parts)


def pairwise(visibility) -> dict[str, Tensor]:
    """The masks that are looked up for pairs.

    Padding is one of them where anything else hides pairs, for a query may then see
    nothing but padding.
    """
    masks = {name: part for name, part in visibility.masks.items() if name != "query"}
    return masks if visibility.scopes or set(masks) - {"padding"} else {}


def pairs_of(visibility, length, padded_length) -> tuple[dict[str, Tensor], Seen]:
    """The tensors and the rest of what hides keys from some queries only.

    Rows are filled up to ``padded_length``, which is None where blocks fit.
    """
    masks = pairwise(visibility)
    tensors = {name: _filled(mask, 2, padded_length) for name, mask in masks.items()}
    scopes = tuple(visibility.scopes.values())
    if scopes:
        for name in _PLACES:
            tensor = getattr(visibility.grid, name)
            if name.startswith("query"):
                tensor = _filled(tensor, len(tensor.shape) - 1, padded_length)
            tensors[name] = tensor
    return tensors, Seen(
        scopes, tuple(masks), None if padded_length is None else length
    )


def _filled(tensor, axis, length):
    """Zeros or False behind, up to this length; an axis of one stays."""
    size = sizes_of(tensor)[axis]
    if length is None or (isinstance(size, int) and size == 1):
        return tensor
    widths = [(0, 0)] * len(tensor.shape)
    widths[axis] = (0, length - size)
    return ops.pad(tensor, widths)


def _cut(mask, starts, rows):
    """One entry, head and block of (B|1, H|1, T|1, S|1)."""
    for axis, start in enumerate(starts[:-1]):
        mask = _rows(mask, axis, start, 1)
    mask = _rows(mask, 2, starts[-1], rows)
    return mask[0, 0] if len(starts) > 1 else mask


def _rows(tensor, axis, start, count):
    """``count`` places of an axis from ``start``; an axis of one is shared by all."""
    shape = sizes_of(tensor)
    if isinstance(shape[axis], int) and shape[axis] == 1:
        return tensor
    starts, sizes = [0] * len(shape), list(shape)
    starts[axis], sizes[axis] = start, count
    return ops.slice(tensor, starts, sizes)


def _and(first, second):
    return second if first is None else ops.logical_and(first, second)
