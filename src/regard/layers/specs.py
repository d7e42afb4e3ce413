"""What calls give, from shapes alone."""

import keras


def spec_of_answer(layer, asked, output, weights):
    """Keras tensors of an output and, where they are asked for, of the weights.

    Both are given as shapes, with None where a length is open.
    """
    spec = keras.KerasTensor(output, dtype=layer.compute_dtype)
    if not asked:
        return spec
    return spec, keras.KerasTensor(weights, dtype=layer.compute_dtype)
