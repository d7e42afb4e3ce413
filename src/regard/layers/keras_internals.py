"""The few things of Keras that layers need and that have no public name."""

from contextlib import contextmanager

from keras.src.backend import AutocastScope, get_keras_mask, set_keras_mask

__all__ = ["computing_in", "get_keras_mask", "set_keras_mask"]


@contextmanager
def computing_in(layer):
    """Let the layer's weights be read in its compute dtype outside ``__call__``."""
    with AutocastScope(layer.compute_dtype):
        yield
