"""What should have come out of packages that read one sequence, in float64 NumPy."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import differentiated, keep_of, softmax


def kattention(case: Case) -> Arrays:
    """Scores divided by the root of the width."""

    def head(a, name):
        x = a["in.x"]
        query, key, value = (
            x @ a[f"{name}dense_{part}/kernel"] + a[f"{name}dense_{part}/bias"]
            for part in "qkv"
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(x.shape[-1])
        return softmax(scores, np.ones(1, bool)) @ value

    def formula(a):
        if "w.embed/kernel" not in a:
            return {"out.y": head(a, "w.")}
        heads = [head(a, f"w.head{h}/") for h in range(case.constructor["heads"])]
        joined = np.concatenate(heads, axis=-1)
        return {"out.y": joined @ a["w.embed/kernel"] + a["w.embed/bias"]}

    return differentiated(case, formula)


def mean_over_time(case: Case) -> Arrays:
    """The mean of what is real."""

    def formula(a):
        x = a["in.x"]
        keep = np.broadcast_to(keep_of(a, "in.mask", x.shape[1]), x.shape[:2])
        count = np.maximum(keep.sum(1, keepdims=True), 1)
        return {"out.pooled": np.where(keep[..., None], x, 0).sum(1) / count}

    return differentiated(case, formula)


def uzaymacar(case: Case) -> Arrays:
    """Weights over the steps of the source; the context stays one row per step."""
    options = case.constructor
    kind = options.get("score_function", "general")

    def scores(a, source, target):
        if kind == "location":
            return target @ a["w.W_a/kernel"]
        if kind == "concat":
            from_target = (target @ a["w.W_a/kernel"])[:, None]
            hidden = np.tanh(from_target + source @ a["w.U_a/kernel"])
            return (hidden @ a["w.v_a/kernel"])[..., 0]
        asked = target @ a["w.W_a/kernel"] if kind == "general" else target
        if kind == "scaled_dot":
            asked = asked / np.sqrt(source.shape[-1])
        return np.einsum("bsd,bd->bs", source, asked)

    def formula(a):
        source, target = a["in.source"], a["in.target"]
        if target.ndim == 3:
            target = target[:, case.call.get("current_timestep", 1) - 1]
        attention = softmax(scores(a, source, target), np.ones(1, bool))
        if options.get("alignment_type", "").startswith("local-p"):
            hidden = np.tanh(target @ a["w.W_p/kernel"]) @ a["w.v_p/kernel"]
            place = source.shape[1] / (1 + np.exp(-hidden))
            apart = np.arange(source.shape[1]) - place
            spread = options.get("window_width", 8) / 2
            attention = attention * np.exp(-(apart**2) / (2 * spread**2))
        attention = attention[..., None]
        return {"out.context": source * attention, "out.attention": attention}

    return differentiated(case, formula)


def autoformer(case: Case) -> Arrays:
    """Every example reads its own delays, whatever the size of the batch."""
    heads = case.constructor["num_heads"]
    factor = case.constructor.get("autocorrelation_factor", 3)

    def projected(a, name, x):
        return x @ a[f"w.{name}.weight"].T + a.get(f"w.{name}.bias", 0.0)

    def formula(a):
        x = a["in.hidden_states"]
        memory = a.get("in.key_value_states", x)
        batch, length, width = x.shape
        q = projected(a, "q_proj", x)
        k, v = (projected(a, name, memory) for name in ("k_proj", "v_proj"))
        missing = max(0, length - k.shape[1])
        k, v = (
            np.pad(each, [(0, 0), (0, missing), (0, 0)])[:, :length] for each in (k, v)
        )
        spectrum = np.fft.rfft(q, axis=1) * np.conj(np.fft.rfft(k, axis=1))
        found = np.fft.irfft(spectrum, n=length, axis=1)
        strength, total = found.mean(-1), np.zeros_like(v)
        for b in range(batch):
            chosen = np.argsort(-strength[b])[: int(factor * np.log(length))]
            shares = softmax(strength[b, chosen], np.ones(1, bool))
            for share, delay in zip(shares, chosen, strict=True):
                total[b] += share * np.roll(v[b], -delay, axis=0)
        by_head = found.reshape(batch, length, heads, width // heads)
        return {
            "out.y": projected(a, "out_proj", total),
            "out.autocorrelation": by_head.swapaxes(1, 2),
        }

    return differentiated(case, formula)
