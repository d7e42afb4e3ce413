"""Loops over time around the function of one step."""

import keras
from keras import ops

from regard.changing import anything_changes
from regard.core.shapes import is_static
from regard.layers.keras_internals import computing_as


def walk(body, inputs, start):
    """Run ``body(inputs, leaves) -> (output, leaves)`` over time, in float32.

    By Keras' ``RNN``, which on torch is a loop in Python too, but one whose products
    each make a gradient of all weights.

    Args:
        body: the function of one step, with a list of states.
        inputs: (B, T, E).
        start: the states before the first step.

    Returns:
        A list: outputs (B, T, D) and the states after the last step.
    """
    if keras.backend.backend() == "torch":
        return _in_turn(body, inputs, start)
    loop = keras.layers.RNN(
        _Body(body, start),
        return_sequences=True,
        return_state=True,
        dtype="float32",
        # A change of weights may compute with numbers, which a traced step has not.
        unroll=anything_changes() and is_static(inputs.shape[1]),
    )
    return loop(inputs, initial_state=start)


class _Body:
    """What Keras' RNN wants of a cell, around a function."""

    compute_dtype = "float32"

    def __init__(self, body, leaves):
        self.body = body
        self.state_size = [leaf.shape[-1] for leaf in leaves]

    def __call__(self, inputs, states):
        return self.body(inputs, states)

    call = __call__


def _in_turn(body, inputs, start):
    from regard.core.native.gathered import gathering

    inputs = ops.cast(inputs, "float32")
    outputs, leaves = [], [ops.cast(leaf, "float32") for leaf in start]
    with computing_as("float32"), gathering():
        if not inputs.shape[1]:  # only the body knows how wide its outputs are
            output, _ = body(ops.zeros_like(ops.sum(inputs, axis=1)), leaves)
            return [ops.expand_dims(output, 1)[:, :0], *leaves]
        for each in ops.unstack(inputs, axis=1):
            output, leaves = body(each, leaves)
            outputs.append(output)
    return [ops.stack(outputs, axis=1), *leaves]
