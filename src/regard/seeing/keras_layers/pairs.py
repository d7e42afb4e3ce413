"""Attention and AdditiveAttention of Keras: (B, T, D), (B, S, D)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from regard.seeing.keras_layers.changed import changed
from regard.seeing.keras_layers.delivery import boolean, deliver, tables_of, taken_rows


def methods_of_pairs(layer, masks) -> dict[str, Callable]:
    seen: dict[str, Any] = {}

    def scoring(method):
        def calculate(query, key):
            seen.update(query=query[:, None], key=key[:, None])
            return method(query=query, key=key)

        return calculate

    def masking(method):
        def calculate(scores, value_mask, use_causal_mask):
            if value_mask is not None:
                masks["padding"] = boolean(value_mask)[:, None, None]
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
            mask = _with_four_axes(scores_mask)
            found = tables_of(scores[:, None], plain[1][:, None], mask)

            def look(numbers=None):
                return found if numbers is None else taken_rows(found, numbers)

            vectors = {"value": value[:, None], "context": answer[0][:, None]}
            deliver(layer, masks, seen | vectors, mask, look)
            return answer

        return apply

    return {
        "_calculate_scores": scoring,
        "_calculate_score_mask": masking,
        "_apply_scores": reading,
    }


def changed_pairs(layer) -> dict[str, Callable]:
    def applying(method):
        def apply(scores, value, scores_mask=None, training=False):
            weights = method(scores, value, scores_mask, False)[1][:, None]
            mask = _with_four_axes(scores_mask)
            weights = changed(layer, tables_of(scores[:, None], weights, mask))[:, 0]
            return ops.matmul(ops.cast(weights, value.dtype), value), weights

        return apply

    return {"_apply_scores": applying}


def _with_four_axes(mask):
    """(B, S) or (B, T, S) -> (B, 1, T | 1, S)."""
    if mask is None:
        return None
    mask = boolean(mask)
    return mask[:, None, None] if len(mask.shape) == 2 else mask[:, None]
