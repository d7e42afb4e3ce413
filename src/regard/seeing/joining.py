"""Joining the traces of batches that follow each other.

An array belongs to the examples where its first axis has as many places for each of
them in both batches, an input where it has one. What all examples share, such as a
causal mask (1, 1, T, S), is kept once where it is the same in both batches, and else
repeated for each of them.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from regard.trace import Trace

_GROUPS = ("masks", "extra", "inputs")
_NUMBERS = ("rows", "heads")  # in extra: which of them are kept, of every example


def same_lengths(first: Trace, second: Trace) -> bool:
    """Two batches can be joined where only their first axes differ."""
    left, right = (_arrays(each) for each in (first, second))
    return (
        first.training == second.training
        and _examples(first) is not None
        and left.keys() == right.keys()
        and all(np.shape(left[name])[1:] == np.shape(right[name])[1:] for name in left)
    )


def joined(first: Trace, second: Trace) -> Trace:
    """One trace of two batches of the same lengths."""
    counts = _examples(first) or 1, _examples(second) or 1

    def join_all(left: Mapping[str, Any], right: Mapping[str, Any], several=True):
        return {
            name: each
            if name in _NUMBERS
            else _joined(each, right[name], counts, several)
            for name, each in left.items()
        }

    values = {each.name: getattr(first, each.name) for each in fields(Trace)}
    values |= join_all(dict(first.arrays()), dict(second.arrays()))
    for group in _GROUPS:
        pair = getattr(first, group), getattr(second, group)
        values[group] = join_all(*pair, several=group != "inputs")
    return Trace(**values)


def _arrays(trace: Trace) -> dict[str, Any]:
    groups = {
        f"{group}/{name}": array
        for group in _GROUPS
        for name, array in getattr(trace, group).items()
    }
    return {**dict(trace.arrays()), **groups}


def _examples(trace: Trace) -> int | None:
    """How many examples a call had, by its first input or the first that it made."""
    own = dict(trace.arrays()).values()
    for array in (*trace.inputs.values(), *own, trace.extra.get("entropy")):
        if array is not None and np.ndim(array):
            return len(array)
    return None


def _joined(left: Any, right: Any, counts: tuple[int, int], several: bool) -> Any:
    """Both in a row; ``several``: an example may have more than one place."""
    if not np.ndim(left):
        return left
    pair = tuple(zip((left, right), counts, strict=True))
    each = [divmod(len(array), count) for array, count in pair]
    if each[0] == each[1] and (each[0] == (1, 0) or (several and each[0][1] == 0)):
        return np.concatenate([left, right])
    if len(left) == len(right) and np.array_equal(left, right, equal_nan=True):
        return left
    if not all(len(array) in (1, count) for array, count in pair):
        return left
    return np.concatenate([np.broadcast_to(a, (n, *a.shape[1:])) for a, n in pair])
