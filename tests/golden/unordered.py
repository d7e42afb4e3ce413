"""Rows that a package returns in no particular order, put in one."""

from __future__ import annotations

import math

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import softmax, top_left


def prob_sparse(case: Case) -> Arrays:
    """The weights of the chosen queries, the largest measure first."""
    options = case.constructor
    heads = options["num_heads"]
    x = case.arrays["in.hidden_states"].astype("float64")
    memory = case.arrays.get("in.key_value_states", x)
    query = heads_of(case, x, "q_proj", heads)
    key = heads_of(case, memory, "k_proj", heads)
    scores = query @ key.swapaxes(-1, -2) / math.sqrt(query.shape[-1])
    sampled = scores[..., case.arrays["in.index_sample"]]
    measure = sampled.max(-1) - sampled.sum(-1) / scores.shape[-1]
    length = scores.shape[2]
    count = min(
        options.get("sampling_factor", 5) * math.ceil(math.log1p(length)), length
    )
    order = np.argsort(-measure, axis=-1, kind="stable")[..., :count]
    allowed = np.ones(scores.shape[2:], bool)
    if options.get("is_decoder"):
        allowed = top_left(*scores.shape[2:])
    weights = softmax(scores, allowed[None, None])
    chosen = np.take_along_axis(weights, order[..., None], axis=2)
    return {**case.expected, "out.attention": chosen}


def heads_of(case: Case, inputs: np.ndarray, name: str, heads: int) -> np.ndarray:
    """(B, H, T, D) of one projection."""
    found = inputs @ case.arrays[f"w.{name}.weight"].T + case.arrays[f"w.{name}.bias"]
    return found.reshape(*found.shape[:2], heads, -1).swapaxes(1, 2)
