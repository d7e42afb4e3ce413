r"""Rows of scores become rows of weights.

A normalizer is an immutable part. ``normalizer(scores, mask, *parameters)`` works on
the last axis, in float32 at least, and is exact on every row: hidden entries get weight
0, and a row with nothing to look at is all zeros with gradient zero.
"""

from typing import Any

import keras

from regard.core.normalizers.budget import Budget
from regard.core.normalizers.entmax import Entmax
from regard.core.normalizers.entmax15 import Entmax15
from regard.core.normalizers.hardmax import Hardmax
from regard.core.normalizers.normmax import Normmax
from regard.core.normalizers.part import Normalizer, hide, shifted
from regard.core.normalizers.proportional import Proportional
from regard.core.normalizers.rectified import Rectified, Softpick
from regard.core.normalizers.sigmoid import Sigmoid
from regard.core.normalizers.sinks import OffByOne, Sinks
from regard.core.normalizers.slot import Slot
from regard.core.normalizers.soft_cap import SoftCap
from regard.core.normalizers.softmax import Softmax
from regard.core.normalizers.sparsemax import Sparsemax
from regard.core.normalizers.top_k import TopK

__all__ = [
    "Budget",
    "Entmax",
    "Entmax15",
    "Hardmax",
    "Normalizer",
    "Normmax",
    "OffByOne",
    "Proportional",
    "Rectified",
    "Sigmoid",
    "Sinks",
    "Slot",
    "SoftCap",
    "Softmax",
    "Softpick",
    "Sparsemax",
    "TopK",
    "get",
    "hide",
    "shifted",
]

_ALL = (
    Budget,
    Entmax,
    Entmax15,
    Normmax,
    Hardmax,
    OffByOne,
    Proportional,
    Rectified,
    Sigmoid,
    Sinks,
    Slot,
    SoftCap,
    Softmax,
    Softpick,
    Sparsemax,
    TopK,
)
_BY_NAME = {part.name: part for part in _ALL}


def get(identifier: Any) -> Normalizer:
    """A normalizer from its name, its configuration or itself."""
    if isinstance(identifier, Normalizer):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]()
    if isinstance(identifier, dict):
        return get(keras.saving.deserialize_keras_object(identifier))
    raise ValueError(
        f"normalizer must be one of {', '.join(sorted(_BY_NAME))} or a "
        f"regard.normalizers object. Got {identifier!r}."
    )
