r"""Feature maps: scores that are products $\phi(q)^\top\phi(k)$ need no table of pairs.

A feature map is an immutable part of ``regard.layers.LinearAttention`` and
``CausalLinearAttention``.
"""

from typing import Any

import keras

from regard.core.features.part import Feature
from regard.core.features.random import RandomFeatures
from regard.core.features.simple import Elu, Identity, ReLU
from regard.core.features.softmax import Exponential, SoftmaxFeatures
from regard.core.features.taylor import Taylor

__all__ = [
    "Elu",
    "Exponential",
    "Feature",
    "Identity",
    "RandomFeatures",
    "ReLU",
    "SoftmaxFeatures",
    "Taylor",
    "get",
]

_ALL = (Elu, Exponential, Identity, RandomFeatures, ReLU, SoftmaxFeatures, Taylor)
_BY_NAME = {part.name: part for part in _ALL}


def get(identifier: Any) -> Feature:
    """A feature map from its name, its configuration or itself."""
    if isinstance(identifier, Feature):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]()
    if isinstance(identifier, dict):
        return get(keras.saving.deserialize_keras_object(identifier))
    names = ", ".join(sorted(_BY_NAME))
    raise ValueError(
        f"feature_map must be one of {names} or a regard.features object. Got "
        f"{identifier!r}."
    )
