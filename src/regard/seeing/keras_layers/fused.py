"""What ``keras.ops.dot_product_attention`` does in one go, step by step."""

import inspect
import math

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of, taken
from regard.seeing.keras_layers.delivery import boolean, of_rank, shown_by, tables_of

_SIGNATURE = inspect.signature(ops.dot_product_attention)


def arguments(*args, **options):
    """Those of a call by name; query (B, T, H, D), key and value (B, S, G, D)."""
    return _SIGNATURE.bind(*args, **options).arguments


def mask_of(given):
    """What may be seen, with four axes, or None for everything."""
    mask = given.get("mask")
    mask = None if mask is None else boolean(mask)
    if given.get("bias") is not None:
        mask = shown_by(given["bias"])
    if given.get("is_causal"):
        sizes = sizes_of(given["query"])[1], sizes_of(given["key"])[1]
        causal = ops.tril(ops.ones(sizes, dtype="bool"))
        mask = causal if mask is None else ops.logical_and(mask, causal)
    return None if mask is None else of_rank(mask, 4)


def look(given, numbers=None):
    """Scores, weights and mask of the queries with these numbers, of all where None."""
    query, key = given["query"], widen(given["key"])
    bias, mask = given.get("bias"), mask_of(given)
    if numbers is not None:
        query = taken(query, numbers, 1)
        bias, mask = (taken(each, numbers, 2) for each in (bias, mask))
    heads, width = sizes_of(query)[2:]
    scale = given.get("scale")
    scale = 1 / math.sqrt(width) if scale is None else scale
    scores = ops.einsum("bthd,bshd->bhts", widen(query), _for_each(key, heads)) * scale
    if (cap := given.get("attn_logits_soft_cap")) is not None:
        scores = cap * ops.tanh(scores / cap)
    if bias is not None:
        scores = scores + widen(bias)
    weights = keras.layers.Softmax(dtype="float32")(scores, mask=mask)
    return tables_of(scores, weights, mask)


def read(weights, value):
    """What weights (B, H, T, S) read: (B, T, H, D)."""
    value = _for_each(value, sizes_of(weights)[1])
    return ops.einsum("bhts,bshd->bthd", ops.cast(weights, value.dtype), value)


def _for_each(tensor, heads):
    """(B, S, G, D) -> (B, S, H, D): every head reads those of its group."""
    return ops.repeat(tensor, heads // sizes_of(tensor)[2], axis=2)
