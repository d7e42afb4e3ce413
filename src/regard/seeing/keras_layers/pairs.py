"""Attention and AdditiveAttention of Keras: (B, T, D), (B, S, D)."""

from collections.abc import Callable
from typing import Any

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
            mask = scores_mask
            if mask is not None:
                mask = boolean(mask)
                mask = mask[:, None, None] if len(mask.shape) == 2 else mask[:, None]
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
