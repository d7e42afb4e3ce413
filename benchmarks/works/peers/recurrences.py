"""Linear recurrences without chunks: one step after another, or all pairs."""

from __future__ import annotations

import numpy as np


def step_by_step(parts):
    """S = e^g S + k (beta (v - S k)), o = q S, in Keras' RNN."""
    import keras
    from keras import ops

    names = [name for name in ("query", "key", "value", "strength", "log_decay")
             if name in parts]  # fmt: skip
    widths = [parts[name].shape[-1] for name in names]
    batch, heads, length, keys = parts["key"].shape
    values = parts["value"].shape[-1]

    class Cell:
        compute_dtype = "float32"

        def __init__(self):
            self.state_size = [heads * keys * values]

        def __call__(self, inputs, states):
            inputs = ops.reshape(inputs, (batch, heads, sum(widths)))
            cuts = [int(each) for each in np.cumsum(widths)[:-1]]
            now = dict(zip(names, ops.split(inputs, cuts, axis=-1), strict=True))
            memory = ops.reshape(states[0], (batch, heads, keys, values))
            if "log_decay" in now:
                memory = memory * ops.exp(now["log_decay"])[..., None]
            key, new = now["key"][..., None], now["value"]
            if "strength" in now:
                new = now["strength"] * (new - ops.sum(key * memory, axis=-2))
            memory = memory + key * new[..., None, :]
            output = ops.sum(now["query"][..., None] * memory, axis=-2)
            flat = ops.reshape(memory, (batch, heads * keys * values))
            return ops.reshape(output, (batch, heads * values)), [flat]

        call = __call__

    joined = ops.concatenate([parts[name] for name in names], axis=-1)
    joined = ops.reshape(ops.swapaxes(joined, 1, 2), (batch, length, -1))
    outputs = keras.layers.RNN(Cell(), return_sequences=True, dtype="float32")(joined)
    return ops.swapaxes(ops.reshape(outputs, (batch, length, heads, values)), 1, 2)


def in_pairs(parts):
    """(q k^T where j <= i, times e^(b_i - b_j)) v."""
    from keras import ops

    length = parts["key"].shape[2]
    scores = ops.matmul(parts["query"], ops.swapaxes(parts["key"], -1, -2))
    below = ops.tril(ops.ones((length, length), "float32"))
    if "log_decay" in parts:
        sums = ops.cumsum(parts["log_decay"], axis=2)
        scores = scores * ops.exp((sums - ops.swapaxes(sums, -1, -2)) * below)
    return ops.matmul(scores * below, parts["value"])
