"""Explanations by the gradient of the weights."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from regard.seeing.intervention import intervening
from regard.seeing.metrics.classifier import CHUNK, Classifier, count_of, rows_of
from regard.seeing.metrics.gradients import gradients
from regard.seeing.metrics.input_gradients import chosen_sum, classes_of
from regard.seeing.metrics.received import trace_of

__all__ = [
    "gradient_times_attention",
    "relevance",
    "weight_gradients",
]


def gradient_times_attention(
    classifier: Classifier, inputs: Any, layer: str, classes: np.ndarray | None = None
) -> np.ndarray:
    """``(B, H, T, S)``: G = α ⊙ ∂ŷ_c/∂α, c by default the class predicted."""
    (found,) = weight_gradients(classifier, inputs, [layer], classes)
    return found[0] * found[1]


def relevance(
    classifier: Classifier,
    inputs: Any,
    layers: list[str],
    classes: np.ndarray | None = None,
) -> np.ndarray:
    """``(B, T, S)``: R ← R + Ā R through the layers, Ā = mean_h (α ⊙ ∂ŷ_c/∂α)⁺.

    R starts as I. A last layer that is not of self-attention, such as a pooling, reads
    what came out below: R ← Ā R.

    Chefer, Gur and Wolf 2021, "Generic Attention-model Explainability for Interpreting
    Bi-Modal and Encoder-Decoder Transformers", ICCV.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with.
        layers: names or paths, the lowest first, of layers over the same tokens.
        classes: c ``(B,)``, by default the class predicted.

    Raises:
        ValueError: maps that do not fit one onto the other.
    """
    found: np.ndarray | None = None
    for weights, gradient in weight_gradients(classifier, inputs, layers, classes):
        step = np.maximum(weights * gradient, 0).mean(axis=1)
        queries, keys = step.shape[1:]
        below = np.eye(keys)[None] if found is None else found
        if below.shape[1] != keys:
            raise ValueError(
                "layers must read what the layer before them wrote, "
                f"{below.shape[1]} positions. Got one that reads {keys}."
            )
        found = step @ below + (below if queries == keys else 0)
    if found is None:
        raise ValueError("layers must name at least one layer. Got none.")
    return found


def weight_gradients(
    classifier: Classifier,
    inputs: Any,
    layers: list[str],
    classes: np.ndarray | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each layer α and ∂ŷ_c/∂α, both ``(B, H, T, S)``; c by default the prediction.

    Weights are put into the graph as they are, whatever kernel the layer runs.
    """
    traces = [trace_of(classifier.model, inputs, layer) for layer in layers]
    classes = classes_of(classifier, inputs, classes)
    weights = [np.asarray(trace.weights, np.float64) for trace in traces]
    parts: list[list[np.ndarray]] = [[] for _ in layers]
    for start in range(0, count_of(inputs), CHUNK):
        part = slice(start, start + CHUNK)
        some, wanted = rows_of(inputs, part), classes[part]
        answer = _answer(classifier, some, wanted)
        zeros = {
            name: np.zeros((len(wanted), *each.shape[1:]))
            for name, each in zip(layers, weights, strict=True)
        }
        slopes = gradients(answer, zeros)
        for name, kept in zip(layers, parts, strict=True):
            kept.append(slopes[name])
    found = [np.concatenate(each) for each in parts]
    return list(zip(weights, found, strict=True))


def _answer(
    classifier: Classifier, inputs: Any, classes: np.ndarray
) -> Callable[..., Any]:
    """Σ ŷ_c as a function of what is added to the weights of each layer."""

    def answer(**added: Any) -> Any:
        with ExitStack() as stack:
            for layer, more in added.items():
                change = partial(_plus, more)
                stack.enter_context(intervening(classifier.model, layer, change))
            return chosen_sum(classifier(inputs), classes)

    return answer


def _plus(more: Any, weights: Any, mask: Any) -> Any:
    return weights + more
