"""What must not leave Keras as a graph, because the graph would be wrong."""

import keras

from regard.core.shapes import is_static


def check_loop(layer, length) -> None:
    """Refuse a loop over a length that is not a number while torch traces a graph.

    PyTorch unrolls the loop at the length it traces, and the file then answers wrongly
    at every other one, without an error.
    """
    if keras.backend.backend() == "torch" and not is_static(length):
        raise ValueError(
            f"{type(layer).__name__} cannot be exported from PyTorch with a free "
            "length: its loop would stay as long as the traced example. Load the model "
            "on TensorFlow (KERAS_BACKEND=tensorflow) and export it there."
        )
