"""Keras' own attention layers, read off while they compute.

They keep their scores to themselves. So the tensors that reach the heart of a layer are
looked at there and the weights computed once more, as the layer does without dropout.
What the layer answers is left alone, by whatever kernel it came about.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
from keras import ops

from regard.core.scores import widen
from regard.recording import recorders
from regard.seeing.replacing import replaced

_HEADS = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
_MECHANISMS = {  # the first that a layer is an instance of
    keras.layers.GroupQueryAttention: "grouped_query",
    keras.layers.MultiHeadAttention: "multi_head",
    keras.layers.AdditiveAttention: "additive",
    keras.layers.Attention: "dot",
}


def mechanism_of(layer: Any) -> str | None:
    """The mechanism's name where it is one of Keras' layers or a subclass, or None."""
    found = (name for kind, name in _MECHANISMS.items() if isinstance(layer, kind))
    name = next(found, None)
    concat = name == "dot" and getattr(layer, "score_mode", "dot") == "concat"
    return "additive" if concat else name


@contextmanager
def read_off(layer: Any) -> Iterator[None]:
    """Let one of Keras' layers deliver what it computes while the block runs."""
    masks: dict[str, Any] = {}
    methods = _of_heads if isinstance(layer, _HEADS) else _of_pairs
    with ExitStack() as stack:
        for name, make in methods(layer, masks).items():
            method = make(getattr(layer, name))
            stack.enter_context(replaced(layer, name, method))
        yield


def _deliver(layer, masks, tensors) -> None:
    """To whoever listens; masks are of one call."""
    mask = tensors["mask"]
    parts = dict(masks) or ({} if mask is None else {"user": mask})
    masks.clear()
    if mask is None:
        mask = ops.ones((1,) * 4, dtype="bool")
    for listener in recorders(layer):
        listener.receive(layer, {**tensors, "mask": mask, "masks": parts})


# Attention and AdditiveAttention: (B, T, D), (B, S, D) ------------------------------


def _of_pairs(layer, masks) -> dict[str, Callable]:
    seen: dict[str, Any] = {}

    def scoring(method):
        def calculate(query, key):
            seen.update(query=query[:, None], key=key[:, None])
            return method(query=query, key=key)

        return calculate

    def masking(method):
        def calculate(scores, value_mask, use_causal_mask):
            if value_mask is not None:
                masks["padding"] = _boolean(value_mask)[:, None, None]
            if use_causal_mask:
                masks["causal"] = method(scores, None, True)[:, None]
            return method(scores, value_mask, use_causal_mask)

        return calculate

    def reading(method):
        def apply(scores, value, scores_mask=None, training=False):
            answer = method(scores, value, scores_mask, training)
            plain = answer
            if training and layer.dropout:
                plain = method(scores, value, scores_mask, False)
            mask = scores_mask
            if mask is not None:
                mask = _boolean(mask)
                mask = mask[:, None, None] if len(mask.shape) == 2 else mask[:, None]
            parts = {
                "value": value[:, None],
                "scores": scores[:, None],
                "mask": mask,
                "weights": plain[1][:, None],
                "context": answer[0][:, None],
            }
            _deliver(layer, masks, seen | parts)
            return answer

        return apply

    return {
        "_calculate_scores": scoring,
        "_calculate_score_mask": masking,
        "_apply_scores": reading,
    }


# Several heads: (B, …, H, D) --------------------------------------------------------


def _of_heads(layer, masks) -> dict[str, Callable]:
    def masking(method):
        def compute(query, value, **given):
            masks.update(_causes(layer, query, value, given))
            return method(query, value, **given)

        return compute

    def reading(method):
        def compute(query, key, value, attention_mask=None, *rest, **options):
            answer = method(query, key, value, attention_mask, *rest, **options)
            mask = attention_mask
            if options.get("use_causal_mask"):
                causal = layer._compute_causal_mask(query, value)
                masks.setdefault("causal", _of_rank(causal, 4))
                mask = causal if mask is None else ops.logical_and(mask, causal)
            scores = _scores(layer, query, key)
            weights = layer._masked_softmax(scores, mask)
            axes = getattr(layer, "_attention_axes", (1,))
            if mask is not None:
                mask = _of_rank(_boolean(mask), len(scores.shape), -2 * len(axes) - 1)
                mask = _table(mask, axes)
            parts = {"query": query, "key": key, "value": value, "context": answer[0]}
            parts = {name: _rows(each, axes) for name, each in parts.items()}
            tables = {"scores": scores, "weights": weights}
            parts |= {name: _table(each, axes) for name, each in tables.items()}
            _deliver(layer, masks, {**parts, "mask": mask})
            return answer

        return compute

    found = {"_compute_attention": reading}
    if len(getattr(layer, "_attention_axes", None) or (1,)) == 1:
        found["_compute_attention_mask"] = masking
    return found


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
            mask = ops.expand_dims(_boolean(given[name]), places)
            found[cause] = mask & found[cause] if cause in found else mask
    if given.get("attention_mask") is not None:
        found["user"] = _of_rank(_boolean(given["attention_mask"]), 4)
    if given.get("use_causal_mask"):
        found["causal"] = layer._compute_causal_mask(query, value)[:, None]
    # One of Keras' classes keeps it under a private name.
    window = vars(layer).get("_sliding_window") or vars(layer).get("sliding_window")
    if window is not None:
        found["scope"] = layer._compute_sliding_window_mask(query, value)[:, None]
    return found


def _scores(layer, query, key):
    """Scaled products, in float32 at least."""
    equation, key = layer._dot_product_equation, widen(key)
    if isinstance(layer, keras.layers.GroupQueryAttention):
        return ops.einsum(equation, widen(query) * layer._inverse_sqrt_head_dim, key)
    return ops.einsum(equation, key, widen(query) * layer._inverse_sqrt_key_dim)


def _rows(tensor, axes):
    """(B, …, H, D) -> (B', H, T, D): axes that are attended make T, all others B'."""
    rank = len(tensor.shape)
    others = [axis for axis in range(rank - 2) if axis not in axes]
    tensor = ops.transpose(tensor, (*others, rank - 2, *axes, rank - 1))
    shape = ops.shape(tensor)
    return ops.reshape(tensor, (-1, shape[len(others)], _size(shape, axes), shape[-1]))


def _size(shape, axes):
    """Of the attended axes, which stand before the last."""
    size = 1
    for length in shape[len(shape) - 1 - len(axes) : -1]:
        size = size * length
    return size


def _table(tensor, axes):
    """(B, …, H, T…, S…) -> (B', H, T, S)."""
    shape, count = ops.shape(tensor), len(axes)
    queries = keys = 1
    for length in shape[-2 * count : -count]:
        queries = queries * length
    for length in shape[-count:]:
        keys = keys * length
    return ops.reshape(tensor, (-1, shape[-2 * count - 1], queries, keys))


def _of_rank(mask, rank, axis=-3):
    while len(mask.shape) < rank:
        mask = ops.expand_dims(mask, axis)
    return mask


def _boolean(mask):
    return ops.cast(mask, "bool")
