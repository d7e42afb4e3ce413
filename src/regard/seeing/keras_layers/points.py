"""Attention at points of images, as D-FINE's: weights of points in the place of keys.

Its method ``compute_attention`` gives where the points lie, (B, T, H, P, 2), and their
weights, (B, T, H, P), a softmax of what the query alone says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from keras import ops

from regard.core.shapes import sizes_of
from regard.seeing.keras_layers.delivery import deliver, tables_of, taken_rows
from regard.seeing.keras_layers.places import in_place_of_hearts
from regard.seeing.replacing import replaced


@contextmanager
def read_at_points(layer: Any) -> Iterator[None]:
    """Let a layer deliver weights and ``extra["places"]`` while the block runs."""
    method = layer.compute_attention

    def compute(*args, **options):
        seen: list[Any] = []
        softmax = partial(_noted, seen)
        with in_place_of_hearts(layer, softmax, lambda made: made):
            places, weights = method(*args, **options)
        scores, found = (ops.swapaxes(each, 1, 2) for each in (*seen, weights))
        _deliver(layer, scores, found, places)
        return places, weights

    with replaced(layer, "compute_attention", compute):
        yield


def _noted(seen: list[Any], method: Callable) -> Callable:
    def softmax(scores, *rest, **options):
        seen.append(scores)
        return method(scores, *rest, **options)

    return softmax


def _deliver(layer, scores, weights, places):
    found = tables_of(scores, weights, None)

    def look(numbers=None):
        return found if numbers is None else taken_rows(found, numbers)

    extra = {"extra": {"places": places}}
    deliver(layer, {}, extra, None, look, sizes_of(weights))
