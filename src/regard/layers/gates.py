"""One step of Keras' GRU cell with fewer operations: the same numbers, sooner."""

import keras
from keras import ops

from regard.layers.keras_internals import computing_in


def is_plain_gru(cell) -> bool:
    """True for a ``GRUCell`` itself, as it comes: what ``gru_step`` computes."""
    return (
        type(cell) is keras.layers.GRUCell
        and cell.built
        and cell.implementation == 2
        and cell.reset_after
        and cell.use_bias
        and not (cell.dropout or cell.recurrent_dropout)
    )


def gru_step(cell, inputs, state):
    r"""The cell's next state (B, U) from inputs (B, D) and state (B, U).

    $z, r = \sigma(W x + U h + b),\quad
    \tilde h = \tanh(W_h x + b_h + r \odot (U_h h + b'_h)),\quad
    h' = \tilde h + z \odot (h - \tilde h)$

    with the cell's own activations. The cell cuts its gates out one by one, and each
    cut costs its gradient a copy of all of them.
    """
    with computing_in(cell):
        inputs, state = (ops.cast(each, cell.compute_dtype) for each in (inputs, state))
        read = ops.matmul(inputs, cell.kernel) + cell.bias[0]
        kept = ops.matmul(state, cell.recurrent_kernel) + cell.bias[1]
        gates = [2 * cell.units]
        (read, fresh), (kept, old) = (ops.split(x, gates, -1) for x in (read, kept))
        update, reset = ops.split(cell.recurrent_activation(read + kept), 2, -1)
        fresh = cell.activation(fresh + reset * old)
        return fresh + update * (state - fresh)
