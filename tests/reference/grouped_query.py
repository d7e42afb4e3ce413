"""Grouped queries: Ainslie et al. 2023, section 2.2."""

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.norms import plain
from tests.reference.reading import read


def grouped_query(  # noqa: PLR0913 - options of the layer
    weights, query, key, value, visible, normalizer=softmax, norm=plain, group=None
):
    """Query head h of H reads key and value head ``group(h)``, by default h // (H/G).

    Kernels as Keras keeps them; biases and the gate may be absent.
    """
    heads, groups = (weights[f"{name}/kernel"].shape[1] for name in ("query", "value"))
    group = group or (lambda h: h // (heads // groups))
    output_kernel = weights["attention_output/kernel"]
    output = np.zeros((*query.shape[:2], output_kernel.shape[-1]))
    output += weights.get("attention_output/bias", 0.0)
    maps = []

    def project(name, array, head):
        bias = weights.get(f"{name}/bias")
        bias = 0.0 if bias is None else bias[head]
        return array @ weights[f"{name}/kernel"][:, head] + bias

    for h in range(heads):
        q, k = project("query", query, h), project("key", key, group(h))
        q, k, scale = norm(weights, q, k, h, group(h))

        def score(b, i, j, q=q, k=k, scale=scale):
            return q[b, i] @ k[b, j] * scale

        seen = visible[:, h] if visible.ndim == 4 else visible
        values = project("value", value, group(h))
        context, attention = read(score, values, seen, normalizer)
        if "gate/kernel" in weights:
            context = context / (1 + np.exp(-project("gate", query, h)))
        output += context @ output_kernel[h]
        maps.append(attention)
    return output, np.stack(maps, axis=1)
