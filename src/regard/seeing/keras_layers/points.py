"""Attention at points of images, as D-FINE's: weights of points in the place of keys.

Its method ``compute_attention`` gives where the points lie, (B, T, H, P, 2), and their
weights, (B, T, H, P), a softmax of what the query alone says. What it read there stands
in its answer, heads side by side: (B, T, H D).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from keras import ops

from regard.core.shapes import sizes_of
from regard.seeing.keras_layers.delivery import deliver, tables_of, taken_rows
from regard.seeing.keras_layers.places import in_place_of_hearts
from regard.seeing.replacing import replaced


@contextmanager
def read_at_points(layer: Any) -> Iterator[None]:
    """Let a layer deliver weights and ``extra["places"]`` while the block runs."""
    call, method = layer.call, layer.compute_attention

    @wraps(call)
    def watched(*args, **options):
        seen: list[Any] = []
        with replaced(
            layer, "compute_attention", partial(_compute, layer, method, seen)
        ):
            answer = call(*args, **options)
        _deliver(layer, answer[0], *seen)
        return answer

    with replaced(layer, "call", watched):
        yield


def _compute(layer, method, seen, *args, **options):
    with in_place_of_hearts(layer, partial(_noted, seen), lambda made: made):
        places, weights = method(*args, **options)
    seen += weights, places
    return places, weights


def _noted(seen: list[Any], method: Callable) -> Callable:
    def softmax(scores, *rest, **options):
        seen.append(scores)
        return method(scores, *rest, **options)

    return softmax


def _deliver(layer, answer, scores, weights, places):
    scores, weights = (ops.swapaxes(each, 1, 2) for each in (scores, weights))
    batch, queries, heads = sizes_of(places)[:3]
    context = ops.reshape(answer, (batch, queries, heads, -1))
    found = tables_of(scores, weights, None)

    def look(numbers=None):
        return found if numbers is None else taken_rows(found, numbers)

    tensors = {"context": ops.swapaxes(context, 1, 2), "extra": {"places": places}}
    deliver(layer, {}, tensors, None, look, sizes_of(weights))
