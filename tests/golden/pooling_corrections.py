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
