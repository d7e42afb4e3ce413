"""The weights of a few queries, without those of all others."""

from dataclasses import replace

import numpy as np
from keras import ops

from regard.core import masks
from regard.core.scopes import Scope
from regard.core.shapes import is_static, taken
from regard.layers.alignments.alignment import Alignment
from regard.layers.attention import Attention
from regard.layers.inputs import (
    checked_bias,
    evaluated,
    gathered,
    poisoned,
)
from regard.layers.keras_internals import computing_in


def weights_of(
    layer: Attention, query, value=None, key=None, *, rows, heads=None, **options
):
    """What a call with ``return_attention_scores=True`` gives for some queries alone.

    A row of weights depends on its own query, so only the chosen queries are projected
    and compared, at the places where they stand in the whole: rows * S scores are made
    instead of T * S.

    Args:
        layer: a built layer of ``regard.layers`` that attends to a memory.
        query: (B, T, Dq), as in a call.
        value: (B, S, Dv), by default the query.
        key: (B, S, Dk), by default the value.
        rows: numbers of queries, 0..T-1, or from the end -T..-1; in this order.
        heads: numbers of heads, likewise; by default all.
        options: masks, ``use_causal_mask``, bias and positions, as in a call.

    Returns:
        Weights (B, len(heads), len(rows), S), or (B, len(rows), S) of a layer without
        heads.

    Raises:
        ValueError: where layer is not such a layer or was never built, its normalizer
            joins rows, or a row or head does not exist.
        TypeError: for an option that is none of those.
    """
    _check(layer)
    value = query if value is None else value
    with computing_in(layer):
        tensors = [
            None if each is None else ops.cast(each, layer.compute_dtype)
            for each in (query, value, key)
        ]
        chosen = _Chosen(tensors[0], rows)
        weights = _weights(layer, chosen, tensors, **options)
        weights = ops.cast(weights, layer.compute_dtype)
    if heads is not None:
        heads = _numbers("heads", heads, weights.shape[1])
        weights = ops.take(weights, heads, axis=1)
    return layer._shape_weights(weights)


def _weights(  # noqa: PLR0913 - what a call may hide
    layer,
    chosen,
    tensors,
    query_mask=None,
    value_mask=None,
    key_mask=None,
    attention_mask=None,
    use_causal_mask=False,
    bias=None,
    query_positions=None,
    key_positions=None,
):
    """(B, H, rows, S)."""
    given = gathered(*tensors, query_mask, value_mask, key_mask)
    if isinstance(attention_mask, Scope) and not attention_mask.static:
        places = (query_positions, key_positions)
        attention_mask = evaluated(attention_mask, given.query, given.value, *places)
    bias = checked_bias(bias, given.sizes(layer.num_heads))
    grid = layer._grid(given, query_positions, key_positions).of_rows(chosen.rows)
    part = replace(
        given,
        query=chosen.of(given.query, 1),
        query_mask=chosen.of(given.query_mask, 1),
    )
    if attention_mask is not None and not isinstance(attention_mask, Scope):
        sizes = given.sizes(layer.num_heads)
        mask = masks.pair_mask(attention_mask, "attention_mask", sizes)
        attention_mask = chosen.of(mask, 2)
    visibility, memory, poison = layer._prepared(
        part, (attention_mask, use_causal_mask), grid
    )
    queries = layer._placed(layer.project_query(part.query), grid.query_positions)
    bias = poisoned(chosen.of(bias, 2), poison)
    return layer.look(queries, *memory, visibility, bias, want=("weights",))["weights"]


class _Chosen:
    """Takes the chosen rows out of whatever has an axis for queries."""

    def __init__(self, query, rows):
        length = query.shape[1]
        if not is_static(length):
            raise ValueError("query must have a known length to choose rows of it.")
        self.rows = _numbers("rows", rows, length)

    def of(self, tensor, axis):
        """The chosen places of an axis."""
        return taken(tensor, self.rows, axis)


def _numbers(name, chosen, count):
    """Row or head numbers as int32, those from the end made positive."""
    numbers = np.array(whole_numbers(name, chosen))
    if not numbers.size or numbers.min() < -count or numbers.max() >= count:
        raise ValueError(
            f"{name} must be integers from {-count} to {count - 1}. Got {chosen!r}."
        )
    return ops.convert_to_tensor(numbers % count, dtype="int32")


def whole_numbers(name, chosen) -> tuple[int, ...]:
    """One number or several as a tuple."""
    numbers = np.atleast_1d(np.asarray(chosen))
    if numbers.ndim != 1 or not (
        np.issubdtype(numbers.dtype, np.integer) or not numbers.size
    ):
        raise ValueError(f"{name} must be whole numbers. Got {chosen!r}.")
    return tuple(map(int, numbers))


def _check(layer):
    if not isinstance(layer, Attention) or isinstance(layer, Alignment):
        raise ValueError(
            "layer must be an attention over a memory whose queries do not depend on "
            "each other, such as regard.layers.AdditiveAttention. Got "
            f"{type(layer).__name__}."
        )
    if not layer.built:
        raise ValueError(
            f"{type(layer).__name__} must be built before its weights are asked for. "
            "Call it once, or build((None, None, width))."
        )
    if not layer.normalizer.rowwise:
        raise ValueError(
            "normalizer must work row by row for some rows to be asked for alone. Got "
            f"{layer.normalizer!r}, in which queries compete."
        )
