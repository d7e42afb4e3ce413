"""Time series: auto-correlation, shared values, patterns over time."""

import math

import numpy as np

from tests.reference.cells import lstm
from tests.reference.normalizers import softmax
from tests.reference.reading import read
from tests.reference.sets import part_of


def auto_correlation(weights, query, value, key, visible, heads=2, factor=1):
    """Wu et al. 2021, section 3.2, with the correlation as a plain double sum.

    `visible` (B, T, S) tells which steps of the memory are real.
    """

    def projected(name, inputs):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    batch, length, _ = query.shape
    real = visible[:, 0][..., None]
    q = projected("query", query)

    def fitted(name, inputs):
        found = np.where(real, projected(name, np.where(real, inputs, 0.0)), 0.0)
        padded = np.zeros((batch, length, found.shape[-1]))
        kept = min(length, found.shape[1])
        padded[:, :kept] = found[:, :kept]
        return padded

    k, v = fitted("key", key), fitted("value", value)
    count = max(1, min(length, int(factor * math.log(length))))
    context, shown = np.zeros_like(v), np.zeros((batch, length))
    for b in range(batch):
        strength = np.zeros(length)
        for delay in range(length):
            for t in range(length):
                strength[delay] += np.mean(q[b, t] * k[b, (t - delay) % length])
        chosen = np.argsort(-strength)[:count]
        shown[b, chosen] = softmax(strength[chosen])
        for t in range(length):
            for delay in chosen:
                context[b, t] += shown[b, delay] * v[b, (t + delay) % length]
    return projected("attention_output", context), shown


def interpretable(weights, query, key, value, visible, heads=2):
    """Lim et al. 2019, section 4.4: shared values, the mean of the heads."""

    def projected(name, inputs):
        bias = weights.get(f"{name}/bias", 0.0)
        return inputs @ weights[f"{name}/kernel"] + bias

    q, k = projected("query", query), projected("key", key)
    v, width = projected("value", value), q.shape[-1] // heads
    maps = []
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)

        def score(b, i, j, own=own):
            return q[b, i, own] @ k[b, j, own] / math.sqrt(width)

        maps.append(read(score, v, visible)[1])
    mean = np.mean(maps, axis=0)
    return projected("attention_output", mean @ v), np.stack(maps, axis=1)


def input_attention(weights, inputs, visible, units=4):
    """Qin et al. 2017, section 3.2: series are judged by their whole course."""
    own, cell = part_of(weights, "attention"), part_of(weights, "cell")
    batch, steps, count = inputs.shape
    outputs, maps = np.zeros((batch, steps, units)), np.zeros(inputs.shape)
    for b in range(batch):
        states = [np.zeros(units), np.zeros(units)]
        for t in range(steps):
            asked = np.concatenate(states) @ own["query_kernel"]
            scores = [
                own["score_vector"]
                @ np.tanh(asked + inputs[b, :, k] @ own["key_kernel"])
                for k in range(count)
            ]
            maps[b, t] = softmax(np.array(scores))
            outputs[b, t], states = lstm(cell, maps[b, t] * inputs[b, t], states)
    return outputs, maps


def temporal_attention(weights, inputs, value, visible, units=4):
    """Qin et al. 2017, section 3.3, with the context of the same step."""
    own, cell = part_of(weights, "attention"), part_of(weights, "cell")
    joining = part_of(weights, "joining")
    batch, steps, _ = inputs.shape
    maps = np.zeros((batch, steps, value.shape[1]))
    outputs = np.zeros((batch, steps, units + value.shape[-1]))
    for b in range(batch):
        states = [np.zeros(units), np.zeros(units)]
        for t in range(steps):
            asked = np.concatenate(states) @ own["query_kernel"]
            seen = np.flatnonzero(visible[b, t])
            context = np.zeros(value.shape[-1])
            if len(seen):
                hidden = np.tanh(asked + value[b, seen] @ own["key_kernel"])
                maps[b, t, seen] = softmax(hidden @ own["score_vector"])
                context = maps[b, t, seen] @ value[b, seen]
            read_ = np.concatenate([inputs[b, t], context]) @ joining["kernel"]
            output, states = lstm(cell, read_ + joining["bias"], states)
            outputs[b, t] = np.concatenate([output, context])
    return outputs, maps


def temporal_pattern(weights, inputs, visible):
    """Shih et al. 2019, section 4."""
    batch, _, width = inputs.shape
    maps = np.zeros((batch, width))
    outputs = np.zeros((batch, weights["state_kernel"].shape[1]))
    for b in range(batch):
        state = inputs[b, -1]
        patterns = inputs[b, :-1].T @ weights["pattern_kernel"]
        scores = patterns @ (state @ weights["query_kernel"])
        maps[b] = 1 / (1 + np.exp(-scores))
        read_ = maps[b] @ patterns
        outputs[b] = state @ weights["state_kernel"] + read_ @ weights["read_kernel"]
    return outputs, maps


def pyramid(weights, inputs, visible, levels=2):
    """Chan et al. 2015, section 3.1; missing frames are zero and change nothing."""
    outputs = []
    for frames, real in zip(inputs, visible, strict=True):
        states = np.where(real[:, None], frames, 0.0)
        for level in range(levels):
            if len(states) % 2:
                states = np.vstack([states, np.zeros_like(states[:1])])
                real = np.append(real, False)
            states = states.reshape(len(states) // 2, -1)
            real = real.reshape(-1, 2).any(-1)
            path = f"level_{level}"
            ahead = one_way(weights, f"{path}/forward_lstm", states, real)
            back = one_way(weights, f"{path}/backward_lstm", states[::-1], real[::-1])
            states = np.concatenate([ahead, back[::-1]], axis=-1)
        outputs.append(states)
    return np.stack(outputs), None


def one_way(weights, path, frames, real):
    """An LSTM over time that skips what is not real."""
    own = part_of(weights, f"{path}/lstm_cell")
    width = len(own["recurrent_kernel"])
    states, outputs = [np.zeros(width), np.zeros(width)], []
    for frame, seen in zip(frames, real, strict=True):
        output, after = lstm(own, frame, states)
        states = after if seen else states
        outputs.append(output if seen else np.zeros(width))
    return np.stack(outputs)
