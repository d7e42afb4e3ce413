"""Decoders that look at a memory at every step."""

import numpy as np

from tests.reference.cells import CELLS


def part(weights, name):
    """The weights below `name/`."""
    start = f"{name}/"
    return {k.removeprefix(start): w for k, w in weights.items() if k.startswith(start)}


def start_of(cell, weights, batch):
    """The cell's function, its weights and its states before the first step."""
    step, count = CELLS[cell]
    own = part(weights, "cell")
    width = own["recurrent_kernel"].shape[0]
    return step, own, [np.zeros((batch, width)) for _ in range(count)]


def bahdanau_decoder(weights, inputs, value, visible, attention, cell):
    """Bahdanau, Cho & Bengio 2015, section 3.1: the state before the step asks.

    c_i = attention(s_{i-1}), s_i = cell([x_i; c_i], s_{i-1}), output [s_i; c_i].
    """
    step, own, states = start_of(cell, weights, len(inputs))
    outputs, maps = [], []
    for i in range(inputs.shape[1]):
        query, seen = states[0][:, None], visible[:, i : i + 1]
        found = attention(part(weights, "attention"), query, value, value, seen)
        context = found[0][:, 0]
        read = np.concatenate([inputs[:, i], context], axis=-1)
        output, states = step(own, read, states)
        outputs.append(np.concatenate([output, context], axis=-1))
        maps.append(found[1][..., 0, :])
    return np.stack(outputs, 1), np.stack(maps, -2)


def gnmt_decoder(weights, inputs, value, visible, attention, cells):
    """Wu et al. 2016, section 3: the bottom cell asks, every cell reads.

    c_i = attention(s^1_{i-1}), s^l_i = cell^l([s^{l-1}_i; c_i], s^l_{i-1}).
    """
    own, states = [], []
    for name, cell in cells.items():
        weights_of = part(weights, name)
        width = weights_of["recurrent_kernel"].shape[0]
        step, count = CELLS[cell]
        own.append((step, weights_of))
        states.append([np.zeros((len(inputs), width)) for _ in range(count)])
    outputs, maps = [], []
    for i in range(inputs.shape[1]):
        query, seen = states[0][0][:, None], visible[:, i : i + 1]
        found = attention(part(weights, "attention"), query, value, value, seen)
        output = inputs[:, i]
        for level, (step, weights_of) in enumerate(own):
            read = np.concatenate([output, found[0][:, 0]], axis=-1)
            output, states[level] = step(weights_of, read, states[level])
        outputs.append(output)
        maps.append(found[1][..., 0, :])
    return np.stack(outputs, 1), np.stack(maps, -2)


def luong_decoder(
    weights, inputs, value, visible, attention, cell, input_feeding=False
):
    """Luong, Pham & Manning 2015, equation 5 and section 3.3: the new state asks.

    h_i = cell([x_i; o_{i-1}], h_{i-1}), c_i = attention(h_i),
    o_i = tanh(W [c_i; h_i]); without input feeding the cell reads x_i alone.
    """
    step, own, states = start_of(cell, weights, len(inputs))
    output, outputs, maps = np.zeros_like(states[0]), [], []
    for i in range(inputs.shape[1]):
        read = inputs[:, i]
        if input_feeding:
            read = np.concatenate([read, output], axis=-1)
        hidden, states = step(own, read, states)
        query, seen = hidden[:, None], visible[:, i : i + 1]
        found = attention(part(weights, "attention"), query, value, value, seen)
        together = np.concatenate([found[0][:, 0], hidden], axis=-1)
        output = np.tanh(together @ weights["output_kernel"])
        outputs.append(output)
        maps.append(found[1][..., 0, :])
    return np.stack(outputs, 1), np.stack(maps, -2)
