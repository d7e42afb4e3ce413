"""What each key adds to the output of a captured layer, as shares of its row."""

from __future__ import annotations

from typing import Any

import numpy as np

from regard.seeing.metrics.norms import head_norms, output_kernel, transformed_values
from regard.trace import Trace

__all__ = ["norm_shares"]


def norm_shares(trace: Trace, layer: Any) -> np.ndarray | None:
    """``(B, H, T, S)``: α_ij ‖f(x_j)‖ / Σ_j α_ij ‖f(x_j)‖, f(x) = (x W^V + b^V) W^O.

    None where a layer has no values of that kind, or they were not kept. Kobayashi et
    al. 2020, "Attention is Not Only a Weight", EMNLP.
    """
    weights, value = trace.weights, trace.value
    if weights is None or value is None or np.ndim(value) != 4 or weights.ndim != 4:
        return None
    kernel = output_kernel(layer)
    heads = weights.shape[1]
    alike = value.shape[2] == weights.shape[3] and heads % value.shape[1] == 0
    joined = heads if kernel is None else kernel.shape[0]
    if not alike or joined != heads or (kernel is None and heads > 1):
        return None
    if kernel is not None and kernel.shape[1] != value.shape[-1]:
        return None
    if not np.isfinite(value).all() or weights.min() < 0:
        return None
    norms = head_norms(weights, transformed_values(trace, layer))
    return norms / np.maximum(norms.sum(axis=-1, keepdims=True), 1e-30)
