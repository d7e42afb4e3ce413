"""What packages of low-rank attention should give where they are left."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import differentiated, softmax, top_left
from tests.reference.approximate import segments, softmax_rows


def nystrom(case: Case) -> Arrays:
    """Padding asks nothing, and a segment of padding alone is no landmark."""
    options = case.constructor
    heads, count = options.get("heads", 8), options.get("num_landmarks", 256)
    steps = options.get("pinv_iterations", 6)

    def formula(a):
        length = a["in.x"].shape[1]
        missing = -length % count
        keep = np.pad(a["in.mask"].astype(bool), ((0, 0), (missing, 0)))
        x = np.pad(a["in.x"], ((0, 0), (missing, 0), (0, 0))) * keep[:, :, None]
        split = (len(x), x.shape[1], 3, heads, -1)
        q, k, v = np.moveaxis((x @ a["w.to_qkv.weight"].T).reshape(split), 2, 0)
        scale = q.shape[-1] ** -0.5
        found = {}
        for b, h in np.ndindex(len(x), heads):
            seen = keep[b]
            asked, some = segments(q[b, :, h], count, seen)
            stored, _ = segments(k[b, :, h], count, seen)
            found[b, h] = (
                softmax_rows(q[b, :, h] @ stored.T * scale, seen, some),
                softmax_rows(asked @ stored.T * scale, some, some),
                softmax_rows(asked @ k[b, :, h].T * scale, some, seen),
            )
        middles = [middle for _, middle, _ in found.values()]
        bound = max(m.sum(0).max() for m in middles) * max(
            m.sum(1).max() for m in middles
        )
        attention = np.zeros((len(x), heads, x.shape[1], x.shape[1]))
        context = np.zeros((len(x), x.shape[1], heads, q.shape[-1]))
        for (b, h), (left, middle, right) in found.items():
            attention[b, h] = left @ inverse(middle, bound, steps) @ right
            context[b, :, h] = attention[b, h] @ v[b, :, h]
            if "w.res_conv.weight" in a:
                kernel = a["w.res_conv.weight"][h, 0, :, 0]
                half = len(kernel) // 2
                wide = np.pad(v[b, :, h], ((half, half), (0, 0)))
                for place, factor in enumerate(kernel):
                    context[b, :, h] += factor * wide[place : place + x.shape[1]]
        context = context * keep[:, :, None, None]
        flat = context.reshape(len(x), x.shape[1], -1)
        y = flat @ a["w.to_out.0.weight"].T + a["w.to_out.0.bias"]
        return {"out.y": y[:, missing:], "out.attention": attention}

    return differentiated(case, formula)


def inverse(matrix, bound, steps):
    found, same = matrix.T / bound, np.eye(len(matrix))
    for _ in range(steps):
        product = matrix @ found
        inner = 15 * same - product @ (7 * same - product)
        found = found @ (13 * same - product @ inner) / 4
    return found


def attention_free(case: Case) -> Arrays:
    """The bias of places is added to the keys, as the paper and the docstring say."""

    def formula(a):
        key, value = a["in.keys"], a["in.values"]
        length, memory = a["in.queries"].shape[1], key.shape[1]
        places = a["w.u"][:length] @ a["w.v"][:memory].T
        seen = np.ones((length, memory), bool)
        if case.call.get("causal"):
            seen = top_left(length, memory)
        scores = np.moveaxis(key, 1, -1)[:, None] + places[None, :, None, None]
        weights = softmax(scores, seen[None, :, None, None])  # (B, T, H, D, S)
        read = np.einsum("blhds,bshd->blhd", weights, value)
        return {"out.y": read / (1 + np.exp(-a["in.queries"]))}

    return differentiated(case, formula)
