"""Attention as a recurrence: one position after another, in loops."""

import numpy as np


def recurrent(query, key, value, decay=None, strength=None):
    """Outputs and states of S = diag(a) S + k u^T, o = S^T q in one head.

    ``decay`` is a (T, K) or (T, 1), None is 1. u is v, or with ``strength`` (T,)
    beta (v - S^T k), where S has decayed already.
    """
    memory = np.zeros((key.shape[-1], value.shape[-1]))
    outputs = []
    for t in range(len(query)):
        if decay is not None:
            memory = decay[t][:, None] * memory
        write = value[t]
        if strength is not None:
            write = strength[t] * (value[t] - memory.T @ key[t])
        memory = memory + np.outer(key[t], write)
        outputs.append(memory.T @ query[t])
    return np.stack(outputs)


def projected(weights, inputs, name):
    """(B, T, H, D) of one projection."""
    found = np.einsum("btd,dhk->bthk", inputs, weights[f"{name}/kernel"])
    return found + weights.get(f"{name}/bias", 0.0)


def over_heads(weights, inputs, visible, head, norm=None, gate=None, change=None):
    """Output and weights of every head joined, as layers with heads do.

    ``head(b, h, value)`` gives the outputs of one head for any values (T, V).
    """
    value = projected(weights, inputs, "value")
    value = (change(value) if change else value) * visible[:, :, None, None]
    batch, length, heads, _ = value.shape
    context = np.zeros(value.shape)
    maps = np.zeros((batch, heads, length, length))
    for b, h in np.ndindex(batch, heads):
        context[b, :, h] = head(b, h, value[b, :, h])
        maps[b, h] = head(b, h, np.diag(visible[b].astype(float)))
    context = context * visible[:, :, None, None]
    if norm:
        axes = (-1, -2) if norm == "width" else -1
        squares = np.mean(context**2, axis=axes, keepdims=True)
        context = context / np.sqrt(squares + 1e-6) * weights["norm_scale"]
    if gate:
        logits = projected(weights, inputs * visible[:, :, None], "gate")
        gates = 1 / (1 + np.exp(-logits))
        context = context * (logits * gates if gate == "silu" else gates)
    output = np.einsum("bthd,hdo->bto", context, weights["attention_output/kernel"])
    return output + weights.get("attention_output/bias", 0.0), maps


def asked_and_stored(weights, inputs, visible):
    """Queries and keys (B, T, H, K), zero where padded."""
    seen = visible[:, :, None, None]
    query, key = (projected(weights, inputs, name) for name in ("query", "key"))
    return query * seen, key * seen


def elu(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def relu(x):
    return np.maximum(x, 0)


def causal_linear(
    weights, inputs, visible, feature=elu, normalize=True, epsilon=1e-6, length=None
):
    """Katharopoulos et al. 2020, equations 9 to 12, as a table of pairs.

    With a length, times the cosine of Qin et al. 2022; padding takes no place.
    """
    query, key = (projected(weights, inputs, name) for name in ("query", "key"))

    def head(b, h, value):
        scores = feature(query[b, :, h]) @ feature(key[b, :, h]).T
        scores = np.tril(scores) * visible[b]
        if length is not None:
            places = np.cumsum(visible[b])
            apart = places[:, None] - places
            scores = scores * np.cos(np.pi / 2 * apart / length)
        if normalize:
            scores = scores / (scores.sum(-1, keepdims=True) + epsilon)
        return scores * visible[b][:, None] @ value

    return over_heads(weights, inputs, visible, head)


def retention(weights, inputs, visible, decays=None, activation=None, **finish):
    """Sun et al. 2023, equation 6: o = S^T q, S = gamma S + k v^T."""
    seen = visible[:, :, None, None]
    change = activation or (lambda x: x)
    query, key = (
        change(projected(weights, inputs, name)) * seen for name in ("query", "key")
    )
    width = query.shape[-1]
    finish = {"norm": "head", "gate": "silu", **finish}

    def head(b, h, value):
        gamma = 1 - 2.0 ** (-5 - h) if decays is None else decays[h]
        decay = np.where(visible[b], gamma, 1.0)[:, None]
        return recurrent(query[b, :, h] / np.sqrt(width), key[b, :, h], value, decay)

    return over_heads(weights, inputs, visible, head, **finish, change=change)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def decay_logits(weights, inputs):
    """(B, T, H, K) or (B, T, H, 1), through a narrow projection where there is one."""
    if "decay_down/kernel" in weights:
        inputs = inputs @ weights["decay_down/kernel"]
    if weights["decay/kernel"].ndim == 2:
        logits = inputs @ weights["decay/kernel"] + weights["decay/bias"]
        return logits[..., None]
    return projected(weights, inputs, "decay")


def gated_linear(weights, inputs, visible, temperature=16.0, norm="head", gate="silu"):
    """Yang et al. 2023, equation 3: S = diag(alpha) S + k v^T."""
    query, key = asked_and_stored(weights, inputs, visible)
    alpha = sigmoid(decay_logits(weights, inputs)) ** (1 / temperature)
    alpha = np.where(visible[:, :, None, None], alpha, 1.0)
    width = query.shape[-1]

    def head(b, h, value):
        asked = query[b, :, h] / np.sqrt(width)
        return recurrent(asked, key[b, :, h], value, alpha[b, :, h])

    return over_heads(weights, inputs, visible, head, norm, gate)


def delta(weights, inputs, visible, strongest=1.0, activation=silu, gated=False):
    """Yang et al. 2024: S = A S + beta k (v - (A S)^T k)^T with unit keys."""
    seen = visible[:, :, None, None]
    query, key = (
        unit(activation(projected(weights, inputs, name))) * seen
        for name in ("query", "key")
    )
    strength = strongest * sigmoid(inputs @ weights["strength/kernel"])
    strength = strength * visible[:, :, None]
    decay = None
    if gated:
        speed = np.logaddexp(decay_logits(weights, inputs), 0.0)
        decay = np.exp(-np.exp(weights["log_rate"])[:, None] * speed)
        decay = np.where(seen, decay, 1.0)
    width = query.shape[-1]

    def head(b, h, value):
        return recurrent(
            query[b, :, h] / np.sqrt(width),
            key[b, :, h],
            value,
            None if decay is None else decay[b, :, h],
            strength[b, :, h],
        )

    finish = ("head", "silu") if gated else ("head",)
    return over_heads(weights, inputs, visible, head, *finish, change=activation)


def forgetting(weights, inputs, visible):
    """Lin et al. 2025: causal softmax of scores plus sums of log gates."""
    query, key = asked_and_stored(weights, inputs, visible)
    logits = inputs @ weights["forget/kernel"] + weights["forget_bias"]
    logs = np.where(visible[:, :, None], -np.logaddexp(-logits, 0.0), 0.0)
    width = query.shape[-1]

    def head(b, h, value):
        table = np.zeros((len(value), len(value)))
        for i in np.flatnonzero(visible[b]):
            seen = [j for j in range(i + 1) if visible[b, j]]
            scores = [
                query[b, i, h] @ key[b, j, h] / np.sqrt(width)
                + logs[b, j + 1 : i + 1, h].sum()
                for j in seen
            ]
            powers = np.exp(np.array(scores) - np.max(scores))
            table[i, seen] = powers / powers.sum()
        return table @ value

    return over_heads(weights, inputs, visible, head)
