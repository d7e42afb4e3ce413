"""Norms of queries and keys, head by head, before positions turn them."""

from typing import Any

from regard.core.norms.part import Norm
from regard.core.norms.rms import RMS
from regard.core.norms.unit import Unit
from regard.core.parts import part_of

__all__ = ["RMS", "Norm", "Unit", "get"]


def get(norm: Any) -> Norm | None:
    """A norm from itself, its name ("rms", "unit") or its configuration."""
    if isinstance(norm, str) and norm in _NAMED:
        return _NAMED[norm]()
    wanted = (
        "query_key_norm must be None, 'rms', 'unit', regard.norms.RMS() or "
        "regard.norms.Unit()"
    )
    return part_of(Norm, norm, wanted)


_NAMED = {"rms": RMS, "unit": Unit}
