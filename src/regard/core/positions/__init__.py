"""Position schemes: how the places of queries and keys enter their scores."""

from typing import Any

import keras

from regard.core.positions.alibi import ALiBi
from regard.core.positions.cosine import CosineReweighting
from regard.core.positions.disentangled import DisentangledRelative
from regard.core.positions.part import Position
from regard.core.positions.rotary import RoPE
from regard.core.positions.scaling import NTK, Linear, Llama3, Scaling, YaRN
from regard.core.positions.shaw import ShawRelative
from regard.core.positions.t5 import T5Bias
from regard.core.positions.together import Together
from regard.core.positions.transformer_xl import TransformerXLRelative

__all__ = [
    "NTK",
    "ALiBi",
    "CosineReweighting",
    "DisentangledRelative",
    "Linear",
    "Llama3",
    "Position",
    "RoPE",
    "Scaling",
    "ShawRelative",
    "T5Bias",
    "Together",
    "TransformerXLRelative",
    "YaRN",
    "get",
]


def get(position: Any) -> Position | None:
    """A position scheme from itself or its configuration."""
    if isinstance(position, dict):
        position = keras.saving.deserialize_keras_object(position)
    if position is not None and not isinstance(position, Position):
        raise ValueError(
            "position must be None or a regard.positions scheme such as RoPE() or "
            f"ALiBi(). Got {position!r}."
        )
    return position
