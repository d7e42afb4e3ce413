"""Position schemes: how the places of queries and keys enter their scores."""

from typing import Any

from regard.core.parts import part_of
from regard.core.positions.adaptive_span import AdaptiveSpan
from regard.core.positions.alibi import ALiBi
from regard.core.positions.axial import AxialRoPE
from regard.core.positions.cosine import CosineReweighting
from regard.core.positions.disentangled import DisentangledRelative
from regard.core.positions.fire import FIRE
from regard.core.positions.kerple import Kerple
from regard.core.positions.part import Position
from regard.core.positions.rotary import RoPE
from regard.core.positions.scaling import (
    NTK,
    Linear,
    Llama3,
    LongRoPE,
    Scaling,
    YaRN,
)
from regard.core.positions.shaw import ShawRelative
from regard.core.positions.t5 import T5Bias
from regard.core.positions.together import Together
from regard.core.positions.transformer_xl import TransformerXLRelative
from regard.core.positions.window_bias import ContinuousWindowBias, WindowBias
from regard.core.positions.xpos import XPos

__all__ = [
    "FIRE",
    "NTK",
    "ALiBi",
    "AdaptiveSpan",
    "AxialRoPE",
    "ContinuousWindowBias",
    "CosineReweighting",
    "DisentangledRelative",
    "Kerple",
    "Linear",
    "Llama3",
    "LongRoPE",
    "Position",
    "RoPE",
    "Scaling",
    "ShawRelative",
    "T5Bias",
    "Together",
    "TransformerXLRelative",
    "WindowBias",
    "XPos",
    "YaRN",
    "get",
]


def get(position: Any) -> Position | None:
    """A position scheme from itself or its configuration."""
    wanted = (
        "position must be None or a regard.positions scheme such as RoPE() or ALiBi()"
    )
    return part_of(Position, position, wanted)
