"""kattention: scores divided by the width instead of its root."""

import math

from keras import ops

from regard.layers import ScaledDotAttention
from tests.golden.tools import Applied, adapts


def attended(t, name, faithful):
    """One head as wide as the input."""
    x = t["in.x"]
    query, key, value = (
        ops.matmul(x, t[f"{name}dense_{part}/kernel"]) + t[f"{name}dense_{part}/bias"]
        for part in "qkv"
    )
    width = x.shape[-1]
    scale = 1.0 / width if faithful else 1.0 / math.sqrt(width)
    layer = Applied(ScaledDotAttention(learn_scale=True))
    return layer([ops.full((), scale)], query, value, key)


@adapts("kattention.SelfAttention", reproduces=True)
def self_attention(case, faithful):
    return lambda t: {"out.y": attended(t, "w.", faithful)}


@adapts("kattention.MultiHeadAttention", reproduces=True)
def multi_head_attention(case, faithful):
    def run(t):
        heads = [
            attended(t, f"w.head{h}/", faithful)
            for h in range(case.constructor["heads"])
        ]
        joined = ops.concatenate(heads, axis=-1)
        return {"out.y": ops.matmul(joined, t["w.embed/kernel"]) + t["w.embed/bias"]}

    return run
