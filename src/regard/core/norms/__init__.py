"""Norms of queries and keys, head by head, before positions turn them."""

from typing import Any

import keras

from regard.core.norms.part import Norm
from regard.core.norms.rms import RMS
from regard.core.norms.unit import Unit

__all__ = ["RMS", "Norm", "Unit", "get"]


def get(norm: Any) -> Norm | None:
    """A norm from itself, its name ("rms", "unit") or its configuration."""
    if isinstance(norm, str) and norm in _NAMED:
        return _NAMED[norm]()
    if isinstance(norm, dict):
        norm = keras.saving.deserialize_keras_object(norm)
    if norm is not None and not isinstance(norm, Norm):
        raise ValueError(
            "query_key_norm must be None, 'rms', 'unit', regard.norms.RMS() or "
            f"regard.norms.Unit(). Got {norm!r}."
        )
    return norm


_NAMED = {"rms": RMS, "unit": Unit}
