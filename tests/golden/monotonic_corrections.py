"""What monotonic alignments should be where a package's quotient underflows."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import differentiated, softmax

CLIPPED = {"tfa": 1e-10, "fairseq": 1e-6}  # where the packages cut products off


def probabilities(case: Case, a: Arrays) -> np.ndarray:
    """Of stopping, (B, T, S), from what the package was given."""
    if "in.p_choose" in a:
        choose = a["in.p_choose"]
        mask = a.get("in.padding_mask")
        if mask is None:
            return choose
        heads = len(choose) // len(mask)
        return choose * ~np.repeat(mask.astype(bool), heads, axis=0)[:, None]
    if "in.p_choose_i" in a:
        return a["in.p_choose_i"][:, None]
    key = memory_of(a) @ a["w.memory_layer/kernel"]
    if "w.attention_v" in a:
        query = a["in.query"] @ a["w.query_layer/kernel"]
        vector = a["w.attention_v"]
        if "w.attention_g" in a:
            vector = a["w.attention_g"] * vector / np.sqrt((vector**2).sum())
        inner = query[:, :, None] + key[:, None] + a.get("w.attention_b", 0.0)
        scores = np.tanh(inner) @ vector
    else:
        scores = a["in.query"] @ key.swapaxes(1, 2) * a.get("w.attention_g", 1.0)
    choose = 1 / (1 + np.exp(-scores - a["w.attention_score_bias"]))
    return choose * kept(a)[:, None]


def kept(a: Arrays) -> np.ndarray:
    """(B, S), 1 at real keys."""
    places = np.arange(a["in.memory"].shape[1])
    lengths = a.get("in.memory_sequence_length", np.array([len(places)]))
    return (places < lengths[:, None]).astype("float64")


def memory_of(a: Arrays) -> np.ndarray:
    return a["in.memory"] * kept(a)[..., None]


def underflows(case: Case) -> bool:
    """True where a product of what was passed falls under the package's clip."""
    if case.constructor.get("mode", "parallel") != "parallel":
        return False
    given = {name: each.astype("float64") for name, each in case.given.items()}
    passed = np.cumprod(1 - probabilities(case, given)[..., :-1], axis=-1)
    return bool((passed < CLIPPED[case.name.split(".")[0]]).any())


def step(choose: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Key after key: who gets here, and who stays."""
    found, reached = np.zeros_like(choose), np.zeros(len(choose))
    for j in range(choose.shape[1]):
        reached = reached + previous[:, j]
        found[:, j] = choose[:, j] * reached
        reached = reached * (1 - choose[:, j])
    return found


def expected_alignment(case: Case) -> Arrays:
    """One step after another, with all the mass."""

    def formula(a):
        choose = probabilities(case, a)
        row = np.eye(1, choose.shape[2]).repeat(len(choose), 0)
        row, rows = a.get("in.previous_attention", row), []
        for i in range(choose.shape[1]):
            row = step(choose[:, i], row)
            rows.append(row)
        found = np.stack(rows, axis=1)
        outputs = {"out.alpha": found, "out.attention": row, "out.alignments": found}
        if "in.memory" in a:
            outputs["out.context"] = found @ memory_of(a)
        return outputs

    return differentiated(case, formula)


def far_below(case: Case) -> bool:
    """True where a score lies so far under the largest that its power is cut off."""
    scores = case.arrays.get("in.u", case.arrays.get("in.soft_energy"))
    limit = 11.0 if case.name.startswith("mocha") else 20.0
    return bool((scores.max(-1, keepdims=True) - scores > limit).any())


def soft_attention(case: Case) -> Arrays:
    """A softmax in every chunk, weighted by its end."""
    size = case.constructor.get("chunk_size", case.call.get("chunk_size"))

    def formula(a):
        alpha, scores = a["in.alpha"], a.get("in.u", a.get("in.soft_energy"))
        places = np.arange(alpha.shape[-1])
        real = np.ones(alpha.shape, bool)
        if "in.padding_mask" in a:
            mask = ~a["in.padding_mask"].astype(bool)
            real = real & np.repeat(mask, len(alpha) // len(mask), axis=0)[:, None]
        found = np.zeros(alpha.shape)
        for end in places:
            first = 0 if size is None else max(0, end - size + 1)
            inside = real & (places >= first) & (places <= end)
            stops = (alpha * real)[..., end : end + 1]
            found = found + stops * softmax(scores, inside)
        return {"out.beta": found}

    return differentiated(case, formula)
