"""Attention for Keras 3: exact mechanisms, made visible."""

from regard import _backend as _backend  # first: no backend, no Keras

__version__ = "0.1.0"

__all__ = ["__version__"]
