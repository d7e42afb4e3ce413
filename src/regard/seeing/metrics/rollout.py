"""Attention followed down through layers: which inputs a position was mixed from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["cross_rollout", "mixed_with_residual", "over_uniform", "rollout"]


def rollout(weights: Sequence[np.ndarray]) -> np.ndarray:
    """``(..., T, T)``: R_L with R_l = Ã_l R_{l−1}, R_0 = I, Ã_l = rownorm(A_l + I).

    A_l is the mean over heads of layer l, and I stands for the residual connection.
    Rows of R sum to 1.

    Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", ACL.

    Args:
        weights: of self-attention, the lowest layer first, each ``(H, T, T)`` or, of a
            batch, ``(B, H, T, T)``.

    Raises:
        ValueError: no layer, or maps that are not square and all of one size.
    """
    rolled: np.ndarray | None = None
    for layer in weights:
        mixed = mixed_with_residual(layer)
        if rolled is not None and mixed.shape != rolled.shape:
            raise ValueError(
                "weights must be of one size in all layers, "
                f"{rolled.shape} without heads. Got {mixed.shape}."
            )
        rolled = mixed if rolled is None else mixed @ rolled
    if rolled is None:
        raise ValueError("weights must hold at least one layer. Got none.")
    return rolled


def over_uniform(
    weights: Sequence[np.ndarray], masks: Sequence[np.ndarray | None]
) -> np.ndarray:
    """R / R of layers that read uniformly under the same masks; 0 where that is 0.

    Above 1 is more than the masks alone explain. ``masks``: as in a trace, one for
    each layer, broadcasting to its weights.
    """
    uniform = []
    for layer, mask in zip(weights, masks, strict=True):
        seen = np.ones_like(layer) if mask is None else mask * np.ones_like(layer)
        uniform.append(seen / np.maximum(seen.sum(axis=-1, keepdims=True), 1))
    rolled, even = rollout(weights), rollout(uniform)
    return np.divide(rolled, even, out=np.zeros_like(rolled), where=even > 0)


def cross_rollout(
    decoder: Sequence[np.ndarray], cross: np.ndarray, encoder: Sequence[np.ndarray]
) -> np.ndarray:
    """``(..., T, S)``: rollout(decoder) A_cross rollout(encoder), an approximation.

    It lets the source in at one layer alone: ``cross`` is the map ``(..., H, T, S)`` of
    that layer, and what other layers read of the source is left out.
    """
    read = np.asarray(cross, np.float64).mean(axis=-3)
    return rollout(decoder) @ read @ rollout(encoder)


def mixed_with_residual(layer: np.ndarray) -> np.ndarray:
    """``(..., H, T, T)`` -> ``(..., T, T)``: the mean head and the residual, shared."""
    layer = np.asarray(layer, np.float64)
    if layer.ndim < 3 or layer.shape[-1] != layer.shape[-2]:
        raise ValueError(
            "weights must be those of self-attention, each (heads, T, T) or "
            f"(batch, heads, T, T). Got {layer.shape}."
        )
    mixed = layer.mean(axis=-3) + np.eye(layer.shape[-1])
    return mixed / mixed.sum(axis=-1, keepdims=True)
