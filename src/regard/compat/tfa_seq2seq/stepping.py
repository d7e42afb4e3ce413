"""One way to take steps with a wrapper and with a plain cell."""

from typing import Any

import keras
from keras import ops

from regard.compat.tfa_seq2seq.wrapper import AttentionWrapper
from regard.compat.tfa_seq2seq.wrapper_parts import AttentionWrapperState
from regard.layers.decoder_parts import as_layer, check_cell, packed, takes_training

Tensor = Any


class Steps:
    """``prepare``, ``start``, ``step`` of an ``AttentionWrapper`` or a Keras cell."""

    def __init__(self, cell):
        cell = as_layer(cell)
        self.wraps = isinstance(cell, AttentionWrapper)
        self.cell = cell if self.wraps else check_cell(cell)

    def build(self, width: int, memory) -> None:
        """Make the weights for inputs of a width."""
        if (memory is None) == self.wraps:
            raise ValueError(
                "memory must be given with an AttentionWrapper, and only with one. Got "
                f"{'None' if memory is None else 'a memory'} for "
                f"{type(self.cell).__name__}."
            )
        if self.cell.built:
            return
        if not self.wraps:
            self.cell.build((None, width))
        else:
            shape = keras.tree.map_structure(known_shape, memory)
            self.cell.build((None, None, width), shape)
        self.cell.built = True

    @property
    def output_width(self) -> int:
        """Width of what a step gives."""
        if self.wraps:
            return self.cell.output_width
        width = getattr(self.cell, "output_size", None)
        return width or keras.tree.flatten(self.cell.state_size)[0]

    def prepare(self, memory, lengths, mask):
        """What the steps read of a memory, a list; empty for a plain cell."""
        return self.cell.prepare(memory, lengths, mask) if self.wraps else []

    def start(self, memory, initial_state, batch):
        """The state before the first step, a list of tensors and lists."""
        if self.wraps:
            if isinstance(initial_state, AttentionWrapperState):
                return list(initial_state.clone(alignment_history=()))
            return list(self.cell.get_initial_state(memory, initial_state))
        if initial_state is None:
            initial_state = self.cell.get_initial_state(batch_size=batch)
        return keras.tree.flatten(initial_state)

    def step(self, inputs, memory, state, training):
        """The output (B, ·), the weights (B, 1, S) and the next state."""
        if self.wraps:
            state = AttentionWrapperState(*state)
            output, state = self.cell.step(inputs, memory, state, training)
            weights = ops.concatenate(state.alignments, axis=-1)
            return output, ops.expand_dims(weights, 1), list(state)
        options = {"training": training} if takes_training(self.cell) else {}
        output, state = self.cell(inputs, packed(self.cell, list(state)), **options)
        weights = ops.zeros((ops.shape(output)[0], 1, 1))
        return output, weights, keras.tree.flatten(state)

    def finished(self, state, history, memory):
        """The last state as callers know it."""
        if not self.wraps:
            return state
        state = AttentionWrapperState(*state)
        if self.cell.alignment_history:
            parts = self.cell.split_history(history, memory)
            state = state.clone(alignment_history=parts)
        return state


def known_shape(tensor: Tensor) -> tuple:
    """The shape, None where a size is no number: JAX has symbols there."""
    return tuple(size if isinstance(size, int) else None for size in tensor.shape)


def embedder(matrix: Tensor | None, embedding_fn: Any):
    """A function from ids to inputs, from a layer, a function or a matrix (V, E)."""
    if embedding_fn is not None:
        return embedding_fn
    if matrix is None:
        raise ValueError(
            "inputs must be a matrix of embeddings (V, E) where the sampler has no "
            "embedding_fn. Got None."
        )
    return lambda ids: ops.take(matrix, ids, axis=0)
