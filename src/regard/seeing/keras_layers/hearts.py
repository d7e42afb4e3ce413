"""Attention layers of any make, read off at the heart of their call.

However such a layer is written, its weights come about in one of these places: a
Softmax layer of its own, the softmax of ``keras.ops`` or ``keras.activations``, or
``keras.ops.dot_product_attention``.
While its call runs, others stand in their place. Queries, keys, values and context are
seen where the layer has Keras' method ``_compute_attention(query, key, value, ...)``.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from keras import ops

from regard.core.shapes import sizes_of
from regard.seeing.keras_layers import fused
from regard.seeing.keras_layers.confirming import confirmed_look
from regard.seeing.keras_layers.delivery import deliver, tables_of_softmax, taken_rows
from regard.seeing.keras_layers.hub import heads_first, with_heads
from regard.seeing.keras_layers.places import in_place_of_hearts, mask_of_softmax
from regard.seeing.replacing import replaced

_VECTORS = ("query", "key", "value")


@contextmanager
def read_at_heart(layer: Any) -> Iterator[None]:
    """Let a layer deliver what it computes while the block runs."""
    call = layer.call

    @wraps(call)
    def watched(*args, **options):
        seen: list[dict[str, Any]] = []
        softmax, product = partial(_seen_softmax, seen), partial(_seen_product, seen)
        with in_place_of_hearts(layer, softmax, product), _vectors(layer, seen):
            answer = call(*args, **options)
        for each in seen:
            _deliver(layer, **each)
        return answer

    with replaced(layer, "call", watched):
        yield


def _seen_softmax(seen, method) -> Callable:
    def softmax(scores, *rest, **options):
        weights = method(scores, *rest, **options)
        seen.append({"tables": (scores, weights, mask_of_softmax(rest, options))})
        return weights

    return softmax


def _seen_product(seen, method) -> Callable:
    def dot_product_attention(*args, **options):
        context = method(*args, **options)
        given = fused.arguments(*args, **options)
        vectors = {name: given[name] for name in _VECTORS}
        seen.append({"given": given, "vectors": {**vectors, "context": context}})
        return context

    return dot_product_attention


@contextmanager
def _vectors(layer, seen) -> Iterator[None]:
    """Note the vectors of what is seen inside Keras' method."""
    if not hasattr(layer, "_compute_attention"):
        yield
        return
    method = layer._compute_attention
    signature = inspect.signature(method)

    def compute(*args, **options):
        count = len(seen)
        answer = method(*args, **options)
        given = list(signature.bind(*args, **options).arguments.values())
        context = answer[0] if isinstance(answer, tuple) else answer
        vectors = dict(zip((*_VECTORS, "context"), (*given[:3], context), strict=True))
        if len(context.shape) == 4:  # not where heads are joined already
            for each in seen[count:]:
                each.setdefault("vectors", vectors)
        return answer

    with replaced(layer, "_compute_attention", compute):
        yield


def _deliver(layer, tables=None, given=None, vectors=None):
    """Hand over one heart: tables (B, H, T, S), vectors (B, H, T, D)."""
    stays = _VECTORS if given is None and heads_first(layer) else ()
    vectors = {
        name: each if name in stays else ops.transpose(each, (0, 2, 1, 3))
        for name, each in (vectors or {}).items()
    }
    if given is not None:
        sure = partial(confirmed_look, partial(fused.look, given), vectors)
        deliver(layer, {}, vectors, fused.mask_of(given), sure)
        return
    found = tables_of_softmax(*(with_heads(layer, each) for each in tables))
    if "key" in vectors:
        keys = sizes_of(vectors["key"])[2]
        sinks = found["scores"][..., keys:]  # columns after the keys
        found = {name: each[..., :keys] for name, each in found.items()}
        if sizes_of(sinks)[3]:
            found["sinks"] = sinks

    def look(numbers=None):
        return found if numbers is None else taken_rows(found, numbers)

    shape = sizes_of(found["weights"])
    deliver(layer, {}, vectors, found["mask"], look, shape)
