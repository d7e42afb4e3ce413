"""Attention for Keras 3: exact mechanisms, made visible."""

from regard import _backend as _backend  # first: no backend, no Keras
from regard import compat, layers, models
from regard.core import normalizers, positions
from regard.core.scopes import Causal, Padding, Prefix, Window
from regard.layers.planning import plan
from regard.seeing.capture import capture
from regard.trace import Trace

__version__ = "0.1.0"

__all__ = [
    "Causal",
    "Padding",
    "Prefix",
    "Trace",
    "Window",
    "__version__",
    "capture",
    "compat",
    "layers",
    "models",
    "normalizers",
    "plan",
    "positions",
]
