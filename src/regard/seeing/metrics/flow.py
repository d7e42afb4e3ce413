"""Attention as pipes: how much of a position can have come from an input."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from regard.seeing.metrics.rollout import mixed_with_residual

__all__ = ["LARGEST", "attention_flow"]

LARGEST = 400  # positions times layers
_TINY = 1e-12


def attention_flow(weights: Sequence[np.ndarray]) -> np.ndarray:
    """``(T, T)``: the largest flow from position i above the last layer to input j.

    A pipe from position i above a layer to position j below it is as wide as
    Ã_ij, Ã = rownorm(mean over heads + I). Unlike rollout, where weights of a path are
    multiplied, a path carries as much as its narrowest pipe.

    Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", ACL. Each of
    the T² flows is found by itself (Edmonds and Karp), so the input must be small.

    Args:
        weights: of self-attention, the lowest layer first, each ``(H, T, T)``.

    Raises:
        ValueError: no layers, maps that are not square or not of one size, or more than
            400 positions times layers.
    """
    pipes = [mixed_with_residual(layer) for layer in weights]
    shapes = {each.shape for each in pipes}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(
            "weights must be of one example, (heads, T, T) with one T in all layers. "
            f"Got {[np.shape(each) for each in weights]}."
        )
    (length, _), layers = pipes[0].shape, len(pipes)
    if length * layers > LARGEST:
        raise ValueError(
            f"weights must have at most {LARGEST} positions times layers. Got "
            f"{length} x {layers}; take rollout, which is quick."
        )
    capacity = np.zeros(((layers + 1) * length,) * 2)
    for level, pipe in enumerate(pipes):  # the nodes below layer l come before
        below, above = level * length, (level + 1) * length
        capacity[above : above + length, below:above] = pipe
    top = layers * length
    return np.array(
        [
            [_flow(capacity, top + source, sink) for sink in range(length)]
            for source in range(length)
        ]
    )


def _flow(capacity: np.ndarray, source: int, sink: int) -> float:
    """The largest flow; paths with the fewest pipes are filled first."""
    left, total = capacity.copy(), 0.0
    while (path := _path(left, source, sink)) is not None:
        starts, ends = np.array(path[:-1]), np.array(path[1:])
        amount = left[starts, ends].min()
        left[starts, ends] -= amount
        left[ends, starts] += amount
        total += amount
    return total


def _path(left: np.ndarray, source: int, sink: int) -> list[int] | None:
    """The nodes of a shortest path with something left in every pipe, or None."""
    before = np.full(len(left), -1)
    before[source] = source
    waiting = deque([source])
    while waiting:
        node = waiting.popleft()
        for other in np.flatnonzero((left[node] > _TINY) & (before < 0)):
            before[other] = node
            if other == sink:
                path = [sink]
                while path[-1] != source:
                    path.append(int(before[path[-1]]))
                return path[::-1]
            waiting.append(int(other))
    return None
