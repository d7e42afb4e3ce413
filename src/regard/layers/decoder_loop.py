"""The loop around one step of a recurrent decoder, and the cells' dropout in it."""

from contextlib import contextmanager

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import is_static, sizes_of
from regard.layers.keras_internals import outside_the_compiler
from regard.layers.walking import walk


@outside_the_compiler
def run_loop(step, inputs, memory, state, mask=None):
    """Run ``step(inputs, memory, state) -> (output, weights, state, extra)`` over time.

    The loop is that of Keras' ``RNN``. It has no constants, so the step closes over the
    memory; its states have the compute dtype, so the loop is float32 and every leaf
    gets its own dtype back inside the step; a cell has one output, so weights and extra
    leave beside it. Where ``mask`` (B, T) is False the state stays, and output and
    weights are 0.

    Args:
        step: the function of one step; ``extra`` is a dict of what a trace shows
            besides, each (B, H, n), empty where nobody looks.
        inputs: (B, T, E).
        memory: nested tensors that stay as they are, batch first.
        state: nested tensors before the first step, batch first.
        mask: (B, T) or None.

    Returns:
        outputs (B, T, D), weights (B, H, T, S), the last state, and extra (B, H, T, n).
    """
    start = keras.tree.flatten(state)
    kinds = [leaf.dtype for leaf in start]
    sizes = {}

    def body(together, leaves):
        leaves = [
            ops.cast(leaf, kind) for leaf, kind in zip(leaves, kinds, strict=True)
        ]
        now = keras.tree.pack_sequence_as(state, leaves)
        each = together if mask is None else together[:, :-1]
        output, weights, after, extra = step(each, memory, now)
        shown = {
            name: each for name, each in extra.items() if is_static(*each.shape[1:])
        }
        sizes["output"], sizes["heads"] = output.shape[-1], weights.shape[1]
        sizes["extra"] = {name: tuple(each.shape[1:]) for name, each in shown.items()}
        if mask is not None:
            real = together[:, -1:] > 0
            output = ops.where(real, output, ops.zeros_like(output))
            weights = ops.where(_like(real, weights), weights, ops.zeros_like(weights))
        parts = [output, *map(_flat, shown.values()), _flat(weights)]
        output = ops.concatenate([_wide(part) for part in parts], axis=-1)
        if mask is not None:
            after = keras.tree.map_structure(
                lambda new, old: ops.where(_like(real, new), new, old),
                after,
                now,
            )
        return output, [_wide(leaf) for leaf in keras.tree.flatten(after)]

    if mask is not None:
        column = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        inputs = ops.concatenate([inputs, column], axis=-1)
    outputs, *leaves = walk(body, inputs, start)
    leaves = [ops.cast(leaf, kind) for leaf, kind in zip(leaves, kinds, strict=True)]
    batch, length = sizes_of(inputs)[:2]
    state = keras.tree.pack_sequence_as(state, leaves)
    place, extra = sizes["output"], {}
    for name, (heads, width) in sizes["extra"].items():
        part = outputs[..., place : place + heads * width]
        part = ops.reshape(part, (batch, length, heads, width))
        extra[name] = ops.swapaxes(part, 1, 2)
        place += heads * width
    weights, heads = outputs[..., place:], sizes["heads"]
    count = sizes_of(weights)[-1] // heads
    weights = ops.reshape(weights, (batch, length, heads, count))
    outputs = outputs[..., : sizes["output"]]
    return outputs, ops.swapaxes(weights, 1, 2), state, extra


def answered(layer, outputs, weights, asked, **record):
    """What a layer around ``run_loop`` returns: outputs, with weights where ``asked``.

    Outputs (B, T, D) and weights of one head (B, 1, T, S); listeners get the weights
    and ``record``.
    """
    outputs = ops.cast(outputs, layer.compute_dtype)
    for listener in layer.recorders():
        listener.receive(layer, {"weights": widen(weights), **record})
    if asked:
        return outputs, ops.cast(weights[:, 0], layer.compute_dtype)
    return outputs


def _flat(tensor):
    """(B, H, n) -> (B, H n)."""
    batch, heads, count = sizes_of(tensor)
    return ops.reshape(tensor, (batch, heads * count))


def _wide(tensor):
    return ops.cast(tensor, "float32")


def _like(condition, tensor):
    """(B, 1) with as many axes as the tensor."""
    shape = (ops.shape(condition)[0], *[1] * (len(tensor.shape) - 1))
    return ops.reshape(condition, shape)


@contextmanager
def cell_dropout(cell, inputs, states, beside=0):
    """Draw a cell's dropout masks before the loop, one for all steps, as RNN does.

    Args:
        cell: a Keras cell.
        inputs: an example of what it reads, (B, D).
        states: its states, flat.
        beside: how many columns more stacked cells read than the cell below gives.
    """
    cells = getattr(cell, "cells", [cell])
    for each in cells:
        count = len(keras.tree.flatten(each.state_size))
        own, states = states[:count], states[count:]
        if hasattr(each, "get_dropout_mask"):
            each.get_dropout_mask(inputs)
            each.get_recurrent_dropout_mask(own[0])
        inputs = own[0]  # the next cell reads an output as wide as this state
        if beside:
            more = ops.zeros((ops.shape(inputs)[0], beside), inputs.dtype)
            inputs = ops.concatenate([inputs, more], axis=-1)
    try:
        yield
    finally:
        for each in cells:
            if hasattr(each, "reset_dropout_mask"):
                each.reset_dropout_mask()
                each.reset_recurrent_dropout_mask()
