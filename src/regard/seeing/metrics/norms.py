"""Weights times what they weigh: how long a vector each key adds to the output."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from regard.trace import Trace

__all__ = ["contribution_norms", "head_norms", "output_kernel", "transformed_values"]


def transformed_values(trace: Trace, layer: Any = None) -> np.ndarray:
    """``(B, H, S, O)``: f_h(x_j) = (x_j W_h^V + b_h^V) W_h^O of a trace's layer.

    Without an output projection, as in layers with one head, f(x_j) is the value.
    Values that heads share are repeated.

    Raises:
        ValueError: a trace without values or weights.
    """
    if trace.value is None or trace.weights is None:
        raise ValueError(
            "trace must hold the values and weights of a call. The trace of "
            f"{trace.layer or 'a layer'!r} kept none."
        )
    heads = trace.weights.shape[1]
    value = np.asarray(trace.value, np.float64)
    value = np.repeat(value, heads // value.shape[1], axis=1)
    kernel = output_kernel(layer)
    return value if kernel is None else np.einsum("bhsd,hdo->bhso", value, kernel)


def output_kernel(layer: Any) -> np.ndarray | None:
    """``(H, D, O)``: W^O of a layer with heads, ours or Keras'; None without one."""
    dense = getattr(layer, "output_dense", None) or getattr(
        layer, "_output_dense", None
    )
    if dense is None:
        return None
    kernel = np.asarray(ops.convert_to_numpy(dense.kernel), np.float64)
    return kernel.reshape(*kernel.shape[:2], -1)


def head_norms(weights: np.ndarray, transformed: np.ndarray) -> np.ndarray:
    """``(B, H, T, S)``: α_ij^h ‖f_h(x_j)‖."""
    return weights * np.linalg.norm(transformed, axis=-1)[:, :, None]


def contribution_norms(weights: np.ndarray, transformed: np.ndarray) -> np.ndarray:
    """``(B, T, S)``: ‖Σ_h α_ij^h f_h(x_j)‖, what key j adds to output i.

    With the products G_j[h, g] = ⟨f_h(x_j), f_g(x_j)⟩ its square is
    Σ_{h,g} α_ij^h α_ij^g G_j[h, g], which takes no table T x S x D.

    Kobayashi et al. 2020, "Attention is Not Only a Weight: Analyzing Transformers with
    Vector Norms", EMNLP.

    Args:
        weights: ``(B, H, T, S)``.
        transformed: f, ``(B, H, S, O)``, as of ``transformed_values``.
    """
    weights = np.asarray(weights, np.float64)
    products = np.einsum("bhso,bgso->bshg", transformed, transformed)
    squares = np.einsum(
        "bhts,bgts,bshg->bts", weights, weights, products, optimize=True
    )
    return np.sqrt(np.maximum(squares, 0.0))
