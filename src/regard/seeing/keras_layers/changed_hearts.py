"""Attention layers of any make, read with changed weights at the heart of their call.

The places are those at which ``hearts`` reads a layer off.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from keras import ops

from regard.seeing.keras_layers import fused
from regard.seeing.keras_layers.changed import changed
from regard.seeing.keras_layers.confirming import confirmed_look
from regard.seeing.keras_layers.delivery import tables_of_softmax
from regard.seeing.keras_layers.hub import with_heads
from regard.seeing.keras_layers.places import in_place_of_hearts, mask_of_softmax
from regard.seeing.replacing import replaced


@contextmanager
def change_at_heart(layer: Any) -> Iterator[None]:
    """Let a layer read with changed weights while the block runs."""
    call = layer.call

    @wraps(call)
    def changing(*args, **options):
        softmax, product = (
            partial(each, layer) for each in (_changed_softmax, _changed_product)
        )
        with in_place_of_hearts(layer, softmax, product):
            return call(*args, **options)

    with replaced(layer, "call", changing):
        yield


def _changed_softmax(layer, method) -> Callable:
    def softmax(scores, *rest, **options):
        weights = method(scores, *rest, **options)
        tables = scores, weights, mask_of_softmax(rest, options)
        tables = tables_of_softmax(*(with_heads(layer, each) for each in tables))
        found = changed(layer, tables)
        return ops.cast(ops.reshape(found, ops.shape(weights)), weights.dtype)

    return softmax


def _changed_product(layer, method) -> Callable:
    def dot_product_attention(*args, **options):
        given = fused.arguments(*args, **options)
        context = method(*args, **options)
        vectors = {
            name: ops.transpose(each, (0, 2, 1, 3))
            for name, each in (("value", given["value"]), ("context", context))
        }
        tables = confirmed_look(partial(fused.look, given), vectors)
        return fused.read(changed(layer, tables), given["value"])

    return dot_product_attention
