"""Multi-head attention: Vaswani et al. 2017, section 3.2.2."""

import math

import numpy as np

from tests.reference.normalizers import softmax
from tests.reference.reading import read


def multi_head(weights, query, key, value, visible, normalizer=softmax):
    """concat(head_1 .. head_H) W_O with head_h = attention(QW_h, KW_h, VW_h).

    Kernels as Keras keeps them: (D, H, width) for the projections and
    (H, width, D) for the output; every bias may be absent. Heads may have a normalizer
    each. With a gate each head is
    multiplied by sigmoid(QW_g + b_g) before W_O (Qiu et al. 2025, section 2.2).
    """
    heads, key_width = weights["query/kernel"].shape[1:]
    output_kernel = weights["attention_output/kernel"]
    output = np.zeros((*query.shape[:2], output_kernel.shape[-1]))
    output += weights.get("attention_output/bias", 0.0)
    maps = []
    for h in range(heads):

        def project(name, array, h=h):
            kernel = weights[f"{name}/kernel"][:, h]
            bias = weights.get(f"{name}/bias")
            return array @ kernel + (0.0 if bias is None else bias[h])

        q, k = project("query", query), project("key", key)

        def score(b, i, j, q=q, k=k):
            return q[b, i] @ k[b, j] / math.sqrt(key_width)

        seen = visible[:, h] if visible.ndim == 4 else visible
        own = normalizer[h] if isinstance(normalizer, list) else normalizer
        context, attention = read(score, project("value", value), seen, own)
        if "gate/kernel" in weights:
            context = context / (1 + np.exp(-project("gate", query)))
        output += context @ output_kernel[h]
        maps.append(attention)
    return output, np.stack(maps, axis=1)
