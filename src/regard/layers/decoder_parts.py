"""What a recurrent decoder is made of: an attention and a cell, checked."""

import inspect

import keras
from keras import ops

from regard.core.products import product, squashed
from regard.layers.gates import gru_step, is_plain_gru, is_plain_lstm, lstm_step
from regard.layers.keras_internals import computing_in


def takes_training(cell) -> bool:
    """True where the cell's call knows ``training``."""
    return "training" in inspect.signature(cell.call).parameters


def packed(cell, leaves):
    """Flat states as the list the cell wants, one entry (or list) for each part.

    Plain lists: the list that Keras keeps on a cell is not one that JAX can trace.
    """
    sizes = cell.state_size
    if not isinstance(sizes, (list, tuple)):
        return list(leaves)
    leaves = iter(leaves)
    return [
        [next(leaves) for _ in size]
        if isinstance(size, (list, tuple))
        else next(leaves)
        for size in sizes
    ]


def run_cell(cell, inputs, leaves, training, found=None):
    """One step of a cell: its output, and its states flat.

    ``found`` (B, n): what the last rows of a plain cell's kernel gave already.
    """
    if is_plain_gru(cell):
        output = gru_step(cell, inputs, leaves[0], found)
        return output, [output]
    if is_plain_lstm(cell):
        output, carry = lstm_step(cell, inputs, leaves, found)
        return output, [output, carry]
    options = {"training": training} if takes_training(cell) else {}
    output, states = cell(inputs, packed(cell, leaves), **options)
    return output, keras.tree.flatten(states)


def build_side_by_side(stack, shape, beside):
    """Build stacked cells that read ``beside`` columns more than the cell below gives.

    Args:
        stack: ``StackedRNNCells``.
        shape: (B, width) of what the first reads.
        beside: width of what every further one reads besides.
    """
    for cell in stack.cells:
        if not cell.built:
            cell.build(shape)
            cell.built = True
        shape = (shape[0], keras.tree.flatten(cell.state_size)[0] + beside)
    stack.built = True


def asking_state(cell, leaves):
    """The first state of the last cell, of flat states."""
    cells = getattr(cell, "cells", [cell])
    return leaves[-len(keras.tree.flatten(cells[-1].state_size))]


def combined(decoder, context, hidden, folded=False):
    """tanh(W_c [c; h]) of Luong's decoder; a folded context is its product already."""
    with computing_in(decoder):
        if folded:
            kernel = ops.convert_to_tensor(decoder.output_kernel)
            hidden = product(hidden, kernel[-decoder.cell_width :])
            return ops.tanh(context + hidden)
        together = ops.concatenate([context, hidden], axis=-1)
        together = ops.cast(together, decoder.compute_dtype)
        return squashed(together, decoder.output_kernel)


def alike(*tensors):
    """Tensors of one dtype, the widest among them."""
    kind = keras.backend.result_type(*[each.dtype for each in tensors])
    return [ops.cast(each, kind) for each in tensors]


def as_layer(given):
    """A layer from itself or its configuration."""
    if isinstance(given, dict):
        return keras.saving.deserialize_keras_object(given)
    return given


def check_attention(attention):
    """Something that can be asked one query at a time."""
    missing = [
        name
        for name in ("prepare", "initial_state", "step", "output_width")
        if not callable(getattr(attention, name, None))
    ]
    if missing:
        raise ValueError(
            "attention must be a layer with prepare, initial_state, step and "
            f"output_width, such as those of regard.layers. Got {attention!r}, which "
            f"lacks {', '.join(missing)}."
        )
    if getattr(attention, "dropout", 0):
        raise ValueError(
            "attention must have dropout=0 inside a decoder, because a step draws no "
            f"random numbers. Got {attention.dropout}. Drop the decoder's inputs or "
            "outputs instead."
        )
    return attention


def check_cell(cell):
    """A Keras recurrent cell."""
    if isinstance(cell, keras.layers.Layer) and hasattr(cell, "state_size"):
        return cell
    raise ValueError(
        "cell must be a Keras cell: a layer with state_size, such as GRUCell, "
        f"LSTMCell, StackedRNNCells or your own. Got {cell!r}."
    )
