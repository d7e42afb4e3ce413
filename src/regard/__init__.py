"""Attention for Keras 3: exact mechanisms, made visible."""

__version__ = "0.1.0"

__all__ = ["__version__"]
