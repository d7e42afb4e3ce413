"""Which heads a model needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from regard.seeing.intervention import intervening
from regard.seeing.metrics.gradients import gradients
from regard.seeing.metrics.intervals import Interval, paired

__all__ = ["head_ablation", "head_sensitivity"]


def head_ablation(
    model: Any, layer: str, score: Callable[[], np.ndarray], **options
) -> list[Interval]:
    """For each head ΔM_h = M(all heads) − M(ξ_h = 0), with a paired interval.

    ξ_h stands before the head in the sum over heads, Σ_h ξ_h Att_h(x): without the head
    nothing else changes. Positive: the head is needed.

    Michel, Levy and Neubig 2019, "Are Sixteen Heads Really Better than One?", NeurIPS.

    Args:
        model: a Keras model.
        layer: name or path of an attention layer.
        score: ``score()`` runs the model and gives a number for each example ``(n,)``,
            higher = better: 1.0 for right and 0.0 for wrong, or log ŷ_label.
        **options: of ``bootstrap``.
    """
    heads, _ = _sizes(model, layer, score)
    whole, found = np.asarray(score(), np.float64), []
    for head in range(heads):
        left = (np.arange(heads) != head)[None, :, None, None]
        with intervening(model, layer, partial(_times, left)):
            found.append(paired(whole, np.asarray(score(), np.float64), **options))
    return found


def head_sensitivity(
    model: Any, layer: str, loss: Callable[[], Any], scaled: bool = True
) -> np.ndarray:
    """``(H,)``: I_h = E_x |∂L(x)/∂ξ_h|, by default over the layer's ℓ2 norm.

    Args:
        model: a Keras model.
        layer: name or path of an attention layer.
        loss: ``loss()`` runs the model in inference and gives the loss of each example,
            a tensor ``(n,)``.
        scaled: divide by the norm of I over the heads.
    """
    heads, batch = _sizes(model, layer, loss)

    def total(factors: Any) -> Any:
        with intervening(model, layer, partial(_times, factors[:, :, None, None])):
            return ops.sum(ops.cast(loss(), "float32"))

    found = gradients(total, {"factors": np.ones((batch, heads))})["factors"]
    importance = np.abs(found).mean(axis=0)
    norm = np.linalg.norm(importance) if scaled else 1.0
    return importance / norm if norm else importance


def _sizes(model: Any, layer: str, run: Callable[[], Any]) -> tuple[int, int]:
    """How many heads the layer has, and how many examples it reads at a time."""
    seen: list[tuple[int, ...]] = []

    def look(weights: Any, mask: Any) -> Any:
        seen.append(tuple(weights.shape))
        return weights

    with intervening(model, layer, look):
        run()
    return seen[0][1], seen[0][0]


def _times(factors: Any, weights: Any, mask: Any) -> Any:
    return weights * ops.cast(ops.convert_to_tensor(factors), weights.dtype)
