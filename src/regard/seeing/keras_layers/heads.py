"""MultiHeadAttention and GroupQueryAttention of Keras: (B, …, H, D)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import taken
from regard.seeing.keras_layers.changed import changed
from regard.seeing.keras_layers.confirming import confirmed, confirmed_look
from regard.seeing.keras_layers.delivery import (
    boolean,
    deliver,
    of_rank,
    tables_of,
    taken_rows,
)


def methods_of_heads(layer, masks) -> dict[str, Callable]:
    def masking(method):
        def compute(query, value, **given):
            masks.update(_causes(layer, query, value, given))
            return method(query, value, **given)

        return compute

    def reading(method):
        def compute(query, key, value, attention_mask=None, *rest, **options):
            answer = method(query, key, value, attention_mask, *rest, **options)
            mask = _whole_mask(layer, query, value, attention_mask, options, masks)
            vectors = {"query": query, "key": key, "value": value, "context": answer[0]}
            vectors = {
                name: _rows(each, _axes(layer)) for name, each in vectors.items()
            }
            look = partial(_look, layer, query, key, mask)
            if answer[1] is None:  # a fused path, which keeps its weights to itself
                look = partial(confirmed_look, look, vectors)
            whole = None if mask is None else _mask_table(mask, query, _axes(layer))
            deliver(layer, masks, vectors, whole, look)
            return answer

        return compute

    found = {"_compute_attention": reading}
    if len(_axes(layer)) == 1:
        found["_compute_attention_mask"] = masking
    return found


def changed_heads(layer) -> dict[str, Callable]:
    def changing(method):
        def compute(query, key, value, attention_mask=None, *rest, **options):
            axes = _axes(layer)
            answer = method(query, key, value, attention_mask, *rest, **options)
            mask = _whole_mask(layer, query, value, attention_mask, options, {})
            tables = _look(layer, query, key, mask)
            if answer[1] is None:
                pair = _rows(value, axes), _rows(answer[0], axes)
                tables = confirmed(tables, *pair)
            weights = changed(layer, tables)
            read = ops.matmul(ops.cast(weights, value.dtype), _rows(value, axes))
            return _as_queries(read, query, axes), weights

        return compute

    return {"_compute_attention": changing}


def _whole_mask(layer, query, value, mask, options, masks):
    """The mask with the triangle that Keras leaves to its kernels."""
    if not options.get("use_causal_mask"):
        return mask
    causal = layer._compute_causal_mask(query, value)
    masks.setdefault("causal", of_rank(causal, 4))
    return causal if mask is None else ops.logical_and(mask, causal)


def _look(layer, query, key, mask, numbers=None):
    """The tables of the queries with these numbers, of all where None."""
    axes = _axes(layer)
    plain = len(query.shape) == 4 and len(axes) == 1
    if numbers is not None and plain:
        query = taken(query, numbers, 1)
        mask = None if mask is None else taken(mask, numbers, len(mask.shape) - 2)
    scores = _scores(layer, query, key)
    weights = layer._masked_softmax(scores, mask)
    mask = None if mask is None else _mask_table(mask, query, axes)
    found = tables_of(_table(scores, axes), _table(weights, axes), mask)
    return found if numbers is None or plain else taken_rows(found, numbers)


def _causes(layer, query, value, given):
    """What hides pairs by its cause, each with four axes, of inputs (B, T, D)."""
    axes = {
        "query_mask": ("query", (1, 3)),
        "value_mask": ("padding", (1, 2)),
        "key_mask": ("padding", (1, 2)),
    }
    found: dict[str, Any] = {}
    for name, (cause, places) in axes.items():
        if given.get(name) is not None:
            mask = ops.expand_dims(boolean(given[name]), places)
            found[cause] = mask & found[cause] if cause in found else mask
    if given.get("attention_mask") is not None:
        found["user"] = of_rank(boolean(given["attention_mask"]), 4)
    if given.get("use_causal_mask"):
        found["causal"] = layer._compute_causal_mask(query, value)[:, None]
    # One of Keras' classes keeps it under a private name.
    window = vars(layer).get("_sliding_window") or vars(layer).get("sliding_window")
    if window is not None:
        found["window"] = layer._compute_sliding_window_mask(query, value)[:, None]
    return found


def _scores(layer, query, key):
    """Scaled products, in float32 at least."""
    equation, key = layer._dot_product_equation, widen(key)
    if isinstance(layer, keras.layers.GroupQueryAttention):
        return ops.einsum(equation, widen(query) * layer._inverse_sqrt_head_dim, key)
    return ops.einsum(equation, key, widen(query) * layer._inverse_sqrt_key_dim)


def _axes(layer) -> tuple[int, ...]:
    """The axes of a query that are attended; the grouped layer has but one."""
    return getattr(layer, "_attention_axes", None) or (1,)


def _rows(tensor, axes):
    """(B, …, H, D) -> (B', H, T, D): axes that are attended make T, all others B'."""
    rank = len(tensor.shape)
    others = [axis for axis in range(rank - 2) if axis not in axes]
    tensor = ops.transpose(tensor, (*others, rank - 2, *axes, rank - 1))
    shape = ops.shape(tensor)
    heads = len(others)
    batch, length = math.prod(shape[:heads]), math.prod(shape[heads + 1 : -1])
    return ops.reshape(tensor, (batch, shape[heads], length, shape[-1]))


def _as_queries(read, query, axes):
    """(B', H, T, D) -> (B, …, H, D), as the queries (B, …, H, D') stand."""
    shape, rank = ops.shape(query), len(query.shape)
    others = [axis for axis in range(rank - 2) if axis not in axes]
    order = (*others, rank - 2, *axes, rank - 1)
    sizes = [shape[axis] for axis in order[:-1]]
    back = sorted(range(rank), key=order.__getitem__)
    return ops.transpose(ops.reshape(read, (*sizes, read.shape[-1])), back)


def _mask_table(mask, query, axes):
    """The mask of queries (B, …, H, D) as a table, whatever axes it goes without."""
    rank = len(query.shape) - 1 + len(axes)
    return _table(of_rank(boolean(mask), rank, -2 * len(axes) - 1), axes)


def _table(tensor, axes):
    """(B, …, H, T…, S…) -> (B', H, T, S)."""
    shape, count = ops.shape(tensor), len(axes)
    queries, keys = math.prod(shape[-2 * count : -count]), math.prod(shape[-count:])
    heads = len(shape) - 2 * count - 1
    return ops.reshape(tensor, (math.prod(shape[:heads]), shape[heads], queries, keys))
