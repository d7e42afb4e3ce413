"""Every stand-in with inputs that suit it: one row a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from regard.compat import (
    attention_keras,
    kaggle,
    keras_attention,
    keras_self_attention,
)

RNG = np.random.default_rng(7)


@dataclass(frozen=True)
class Old:
    """A class, its arguments, and the widths of its inputs (all of one length)."""

    name: str
    make: Callable[..., keras.Layer]
    arguments: dict[str, Any] = field(default_factory=dict)
    inputs: int = 1
    pooled: bool = False
    fixed_length: bool = False

    def __str__(self) -> str:
        return self.name

    def layer(self, **options: Any) -> keras.Layer:
        return self.make(**{**self.arguments, **options})

    def arrays(self, batch: int = 2, length: int = 5, width: int = 4) -> list:
        shapes = [(batch, length, width)] * self.inputs
        if self.name == "residual":
            shapes[-1] = (batch, length, length)
        return [RNG.normal(size=shape).astype("float32") for shape in shapes]

    def given(self, arrays: list) -> Any:
        return arrays[0] if self.inputs == 1 else list(arrays)

    def made(self, tensors: list) -> Any:
        """A seeded layer called with tensors: the same weights every time."""
        keras.utils.set_random_seed(3)
        return self.layer()(self.given(tensors))

    def layer_with(self, arrays: list, mask: Any) -> Any:
        """The same layer called with an explicit mask."""
        keras.utils.set_random_seed(3)
        return self.layer()(self.given(arrays), mask=self.masks(mask))

    def masks(self, mask: Any) -> Any:
        """The same mask for all sequences; there is none for scores."""
        if self.inputs == 1:
            return mask
        masks = [mask] * self.inputs
        return [*masks[:-1], None] if self.name == "residual" else masks


SEQ = keras_self_attention.SeqSelfAttention
OLD = [
    Old("attention_keras", attention_keras.AttentionLayer, inputs=2),
    Old(
        "kaggle",
        kaggle.Attention,
        {"step_dim": 5, "W_regularizer": "l2", "b_constraint": "max_norm"},
        pooled=True,
        fixed_length=True,
    ),
    Old(
        "with_context",
        kaggle.AttentionWithContext,
        {"u_regularizer": "l1", "W_constraint": "max_norm", "return_attention": True},
        pooled=True,
    ),
    Old("luong", keras_attention.Attention, {"units": 3}, pooled=True),
    Old(
        "bahdanau",
        keras_attention.Attention,
        {"units": 3, "score": "bahdanau"},
        pooled=True,
    ),
    Old(
        "seq_self",
        SEQ,
        {
            "units": 6,
            "attention_width": 4,
            "return_attention": True,
            "kernel_regularizer": "l2",
            "attention_activation": "tanh",
            "attention_regularizer_weight": 0.1,
        },
    ),
    Old(
        "multiplicative",
        SEQ,
        {
            "attention_type": "multiplicative",
            "history_only": True,
            "bias_constraint": "max_norm",
        },
    ),
    Old(
        "seq_weighted",
        keras_self_attention.SeqWeightedAttention,
        {"return_attention": True},
        pooled=True,
    ),
    Old(
        "scaled_dot",
        keras_self_attention.ScaledDotProductAttention,
        {"history_only": True, "return_attention": True},
        inputs=3,
    ),
    Old(
        "residual",
        keras_self_attention.ResidualScaledDotProductAttention,
        {"return_attention": True},
        inputs=4,
    ),
]
WITH_WEIGHTS = [old for old in OLD if old.name not in ("scaled_dot", "residual")]
