r"""The path for plain softmax over products of any length: the backend's best way.

It keeps no scores, neither forwards nor for the gradient, so memory is linear in both
lengths. How each backend does it stands in ``native/``. What depends on the key alone,
padding or a bias, rides along as one more feature of queries and keys:

    [q, 1] . [k, b] = q . k + b
"""

from importlib import import_module
from typing import Any

import keras
from keras import ops

from regard.core.dense import Recipe, Visibility
from regard.core.limits import limits
from regard.core.native.pairs import HIDDEN, pairwise
from regard.core.normalizers import Softmax
from regard.core.scores import factors_of, number_of, widen
from regard.core.stairs import steps_of

Tensor = Any


def is_fusable(recipe: Recipe, bias=None, keep=None) -> bool:
    """True for softmax over products where nothing is done to single pairs."""
    plain = type(recipe.normalizer) is Softmax and factors_of(recipe.score) is not None
    extras = (recipe.blend, recipe.fade, keep)
    return (
        plain
        and not recipe.own
        and not recipe.factored
        and all(each is None for each in extras)
        and (recipe.position is None or recipe.position.only_places)
        and (bias is None or (bias.shape[1] == 1 and bias.shape[2] == 1))
    )


def by_kernel(query, key, value, recipe: Recipe, visibility: Visibility, bias=None):
    """The context of ``dense`` alone."""
    kind, hidden = value.dtype, visibility.masks.get("padding")
    native: Any = import_module(f"regard.core.native.{keras.backend.backend()}")
    query, key, value = widen(query), widen(key), widen(value)
    scale = number_of(recipe.score) if native.APPLIES else None
    options = {} if scale is None else {"scale": scale}
    if scale is None:
        factors: Any = factors_of(recipe.score)
        query, key = factors(query, key, *recipe.parameters)
    value = ops.cast(value, query.dtype)
    if not native.APPLIES:
        query, key = _with_feature(query, key, visibility, bias)
        bias = None
    steps = steps_of(visibility, query.shape[2], key.shape[2], limits().steps)
    if steps:
        parts = [
            native.attend(
                query[:, :, step.rows],
                key[:, :, step.columns],
                value[:, :, step.columns],
                step.of(visibility),
                None if bias is None else bias[..., step.columns],
                **options,
            )
            for step in steps
        ]
        context = ops.concatenate(parts, axis=2)
    else:
        context = native.attend(query, key, value, visibility, bias, **options)
    for mask in (visibility.masks.get("query"), _anything(hidden)):
        if mask is not None:  # (B, 1, T | 1, 1)
            context = ops.where(mask, context, ops.zeros_like(context))
    return ops.cast(context, kind)


def _anything(padding):
    """(B, 1, 1, S) -> whether there is a real key, (B, 1, 1, 1)."""
    return None if padding is None else ops.any(padding, axis=-1, keepdims=True)


def _with_feature(query, key, visibility, bias):
    """Queries with a one and keys with what their score gets, if it gets anything."""
    padding = None if pairwise(visibility) else visibility.masks.get("padding")
    if padding is None and bias is None:
        return query, key
    extra = ops.zeros_like(key[:, :1, :, :1])  # (B, 1, S, 1)
    if bias is not None:
        extra = extra + ops.cast(ops.swapaxes(widen(bias), 2, 3), extra.dtype)
    if padding is not None:
        seen = ops.swapaxes(padding, 2, 3)
        extra = ops.where(seen, extra, ops.full_like(extra, HIDDEN))
    extra = ops.broadcast_to(extra, (*ops.shape(key)[:3], 1))
    one = ops.ones_like(query[..., :1])
    return ops.concatenate([query, one], -1), ops.concatenate([key, extra], -1)
