"""torch's recurrent networks by the names of their weights, with our operations."""

from __future__ import annotations

from keras import ops

GATES = {"lstm": 4, "gru": 3}


def bidirectional(t, name, kind, inputs, keep=None):
    """Outputs (B, T, 2 U) of all layers of a bidirectional network."""
    layer = 0
    while f"{name}.weight_ih_l{layer}" in t:
        inputs = ops.concatenate(
            [
                recurrent(t, f"{name}/l{layer}", kind, inputs, keep),
                recurrent(t, f"{name}/l{layer}_reverse", kind, inputs, keep, True),
            ],
            axis=-1,
        )
        layer += 1
    return inputs


def recurrent(t, path, kind, inputs, keep=None, backwards=False):
    """One direction of one layer; where ``keep`` is False the output is 0."""
    name, suffix = path.split("/")
    batch, length = inputs.shape[:2]
    width = t[f"{name}.weight_hh_{suffix}"].shape[1]
    hidden = carry = ops.zeros((batch, width))
    outputs = [None] * length
    for place in reversed(range(length)) if backwards else range(length):
        from_input = affine(t, f"{name}.@_ih_{suffix}", inputs[:, place])
        from_state = affine(t, f"{name}.@_hh_{suffix}", hidden)
        new, new_carry = STEPS[kind](from_input, from_state, hidden, carry)
        real = None if keep is None else keep[:, place : place + 1]
        outputs[place] = new if real is None else ops.where(real, new, 0.0 * new)
        hidden = new if real is None else ops.where(real, new, hidden)
        carry = new_carry if real is None else ops.where(real, new_carry, carry)
    return ops.stack(outputs, axis=1)


def affine(t, pattern, inputs):
    """x W^T + b."""
    kernel = ops.transpose(t[pattern.replace("@", "weight")])
    bias = t.get(pattern.replace("@", "bias"))
    product = ops.matmul(inputs, kernel)
    return product if bias is None else product + bias


def lstm_step(from_input, from_state, hidden, carry):
    """Gates in torch's order: input, forget, cell, output."""
    i, f, g, o = ops.split(from_input + from_state, 4, axis=-1)
    carry = ops.sigmoid(f) * carry + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(carry), carry


def gru_step(from_input, from_state, hidden, carry):
    """Gates in torch's order: reset, update, new."""
    r, z, n = ops.split(from_input, 3, axis=-1)
    hr, hz, hn = ops.split(from_state, 3, axis=-1)
    z = ops.sigmoid(z + hz)
    new = ops.tanh(n + ops.sigmoid(r + hr) * hn)
    return (1.0 - z) * new + z * hidden, carry


STEPS = {"lstm": lstm_step, "gru": gru_step}
