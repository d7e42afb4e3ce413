"""Weights held against what a fused path answered, whose weights nobody sees.

A row of which nothing may be seen is where Keras' paths disagree: the one with weights
reads nothing, fused kernels the mean of all values, or as if there were no mask, by
backend and precision. Which it was, the context says: one of these three readings comes
to it, and comes nearer than those with other weights. Rows that no reading explains, or
several, are not confirmed.
"""

from typing import Any

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import is_static, sizes_of, taken
from regard.seeing.tracers import known

_NEAR = 1e-2  # of the largest value: kernels of half precision, other orders of sums
_APART = 4.0  # times as far from the context as the best are others
_ROUNDING = 1e-6  # of the largest value
_SAME = 1e-3  # difference of weights that does not matter


def confirmed(tables: dict[str, Any], value: Any, context: Any) -> dict[str, Any]:
    """Tables (B, H, T, S) with what rows without keys read, and ``unconfirmed`` rows.

    Value (B, G, S, D) and context (B, H, T, D) are those of the layer.
    """
    sizes = sizes_of(tables["weights"])
    if is_static(*sizes) and 0 in sizes:  # nothing is read
        return tables
    weights, value, context = (
        ops.stop_gradient(widen(each)) for each in (tables["weights"], value, context)
    )
    value = ops.repeat(value, sizes[1] // sizes_of(value)[1], axis=1)
    largest = ops.max(ops.abs(value), axis=(2, 3))[..., None] + 1e-30
    near = _distance(ops.matmul(weights, value), context) / largest < _NEAR
    empty = ops.logical_not(ops.any(tables["mask"], axis=-1))  # B|1, H|1, T|1
    if not known(empty) or ops.convert_to_numpy(empty).any():
        read, sure = _of_nothing(weights, tables["scores"], value, context, largest)
        weights = ops.where(empty[..., None], read, weights)
        near = ops.where(empty, sure, near)
    weights = ops.cast(weights, tables["weights"].dtype)
    return {**tables, "weights": weights, "unconfirmed": ops.logical_not(near)}


def _of_nothing(weights, scores, value, context, largest):
    """What each row read if it had no keys, and whether the context tells it."""
    alone = keras.layers.Softmax(dtype="float32")(widen(ops.stop_gradient(scores)))
    readings = weights, ops.ones_like(weights[..., :1]) / sizes_of(weights)[3], alone
    values = (
        ops.matmul(weights, value),
        ops.mean(value, axis=2, keepdims=True),
        ops.matmul(alone, value),
    )
    far = [_distance(each, context) / largest for each in values]
    best = ops.argmin(ops.stack(far), axis=0)
    nearest = ops.min(ops.stack(far), axis=0)
    found = weights
    for number, reading in enumerate(readings[1:], 1):
        found = ops.where((best == number)[..., None], reading, found)
    sure = nearest < _NEAR
    for distance, reading in zip(far, readings, strict=True):
        other = ops.max(ops.abs(reading - found), axis=-1) > _SAME
        sure &= ~(other & (distance < _APART * nearest + _ROUNDING))
    return found, sure


def confirmed_look(look, vectors, numbers=None):
    """``look(numbers)``, confirmed by the rows of the context with these numbers."""
    context = vectors["context"]
    if numbers is not None:
        context = taken(context, numbers, 2)
    return confirmed(look(numbers), vectors["value"], context)


def _distance(read, context):
    """(B, H, T): how far the context is from what weights read, inf where unknown.

    Where both are NaN they agree.
    """
    both = ops.isnan(read) & ops.isnan(context)
    apart = ops.abs(read - context)
    apart = ops.where(both, ops.zeros_like(apart), apart)
    apart = ops.where(ops.isnan(apart), ops.full_like(apart, float("inf")), apart)
    return ops.max(apart, axis=-1)
