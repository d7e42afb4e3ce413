"""Recurrent cells, one step each, with the layout of weights that Keras keeps."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(weights, inputs, states):
    """Cho et al. 2014, equations 5-8, the reset gate after the product.

    Gates in the order update, reset, candidate; two rows of biases.
    """
    (state,) = states
    from_inputs = inputs @ weights["kernel"] + weights["bias"][0]
    from_state = state @ weights["recurrent_kernel"] + weights["bias"][1]
    update_x, reset_x, candidate_x = np.split(from_inputs, 3, axis=-1)
    update_h, reset_h, candidate_h = np.split(from_state, 3, axis=-1)
    update, reset = sigmoid(update_x + update_h), sigmoid(reset_x + reset_h)
    candidate = np.tanh(candidate_x + reset * candidate_h)
    state = update * state + (1 - update) * candidate
    return state, [state]


def lstm(weights, inputs, states):
    """Hochreiter & Schmidhuber 1997 with a forget gate: input, forget, cell, output."""
    state, carry = states
    total = inputs @ weights["kernel"] + state @ weights["recurrent_kernel"]
    i, f, candidate, o = np.split(total + weights["bias"], 4, axis=-1)
    carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(candidate)
    state = sigmoid(o) * np.tanh(carry)
    return state, [state, carry]


# How many states of its own width each cell carries.
CELLS = {"gru": (gru, 1), "lstm": (lstm, 2)}
