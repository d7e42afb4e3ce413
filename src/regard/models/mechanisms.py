"""Attention layers and cells by name, for models that are described by settings."""

from collections.abc import Callable
from typing import Any

import keras

from regard import layers

ATTENTIONS: dict[str, Callable[..., Any]] = {
    "additive": lambda units, **options: layers.AdditiveAttention(units, **options),
    "chunkwise": lambda units, **options: layers.ChunkwiseAttention(units, **options),
    "concat": lambda units, **options: layers.ConcatAttention(units, **options),
    "cosine": lambda units, **options: layers.CosineAttention(**options),
    "coverage": lambda units, **options: layers.CoverageAttention(units, **options),
    "dot": lambda units, **options: layers.DotAttention(**options),
    "forward": lambda units, **options: layers.ForwardAttention(units, **options),
    "general": lambda units, **options: layers.GeneralAttention(**options),
    "location": lambda units, **options: layers.LocationAttention(
        **{"maximum_length": 128, **options}
    ),
    "location_sensitive": lambda units, **options: layers.LocationSensitiveAttention(
        units, **options
    ),
    "monotonic": lambda units, **options: layers.MonotonicAttention(units, **options),
    "multi_head": lambda units, **options: layers.MultiHeadAttention(
        **{"num_heads": 4, "key_dim": max(1, units // 4), **options}
    ),
    "scaled_dot": lambda units, **options: layers.ScaledDotAttention(**options),
}
# These compare a query with a key as they are, so both need one width.
EQUAL_WIDTHS = ("cosine", "dot", "scaled_dot")


def make_attention(name: str, units: int, **options: Any) -> Any:
    """An attention layer by its name.

    Args:
        name: one of ``ATTENTIONS``.
        units: the width in which queries and keys are compared, where there is one.
        **options: further arguments of the layer.

    Raises:
        ValueError: for an unknown name, or an option the layer does not take.
    """
    if name not in ATTENTIONS:
        raise ValueError(
            f"attention must be one of {', '.join(ATTENTIONS)}. Got {name!r}."
        )
    try:
        return ATTENTIONS[name](units, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"attention_options must be arguments of the {name} layer. "
            f"Got {options!r}: {error}"
        ) from None


def make_cell(name: str, units: int, depth: int = 1) -> Any:
    """A "gru" or "lstm" cell, or ``depth`` of them stacked."""
    kinds = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}
    if name not in kinds:
        raise ValueError(f"cell must be one of {', '.join(kinds)}. Got {name!r}.")
    cells = [kinds[name](units) for _ in range(depth)]
    return cells[0] if depth == 1 else keras.layers.StackedRNNCells(cells)
