"""Attention for Keras 3: exact mechanisms, made visible."""

from regard import _backend as _backend  # first: no backend, no Keras
from regard import layers
from regard.core import normalizers
from regard.core.masks import Causal, Padding, Prefix, Window
from regard.trace import Trace

__version__ = "0.1.0"

__all__ = [
    "Causal",
    "Padding",
    "Prefix",
    "Trace",
    "Window",
    "__version__",
    "layers",
    "normalizers",
]
