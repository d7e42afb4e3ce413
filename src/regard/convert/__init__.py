"""Weights that were trained elsewhere, in our layers, with equal answers.

    layer = regard.convert.from_keras(model.get_layer("attention"))
    layer = regard.convert.from_torch(torch_model.attention)

Each function takes a layer (or module) of the other package, reads its options and
weights, and returns a new built layer of ours. What ours does otherwise (masks, empty
rows) stays ours.
"""

from regard.convert.keras_hub_layers import from_keras_hub
from regard.convert.keras_layers import from_keras
from regard.convert.old_self_attention import from_keras_self_attention
from regard.convert.torch_modules import from_torch
from regard.convert.transformers_modules import from_transformers

__all__ = [
    "from_keras",
    "from_keras_hub",
    "from_keras_self_attention",
    "from_torch",
    "from_transformers",
]
