"""What a model says with uniform weights, and how far the weights of seeds differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from keras import ops

from regard.seeing.intervention import intervening
from regard.seeing.map_measures import jensen_shannon
from regard.seeing.metrics.classifier import Classifier
from regard.seeing.metrics.received import trace_of, visible

__all__ = ["accuracy", "even_weights", "seed_divergence", "uniform_predictions"]


def even_weights(weights: Any, mask: Any) -> Any:
    """1/n over the n keys that a row may see, scaled to what the row summed to."""
    seen = ops.cast(mask, weights.dtype)
    count = ops.maximum(ops.sum(seen, axis=-1, keepdims=True), 1)
    return seen / count * ops.sum(weights, axis=-1, keepdims=True)


def uniform_predictions(
    classifier: Classifier, inputs: Any, layers: Any = None
) -> np.ndarray:
    """``(B, C)``: what the model says with its weights frozen to uniform.

    Wiegreffe and Pinter 2019, "Attention is not not Explanation", EMNLP, train such a
    model anew, which may then do better than one that is only evaluated so.
    """
    with intervening(classifier.model, layers, even_weights):
        return classifier.predict(inputs)


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``(B,)``: 1.0 where the most probable class is the label, else 0.0."""
    return (probabilities.argmax(axis=1) == np.asarray(labels)).astype(np.float64)


def seed_divergence(
    models: Sequence[Any], inputs: Any, layers: Sequence[str]
) -> np.ndarray:
    """``(B,)``: the mean JSD of the rows of a layer between models of other seeds.

    It is the yardstick for every other divergence of attention: what training leaves
    open anyway. ``layers`` are the names, one for each model. NaN where no row sees two
    keys.
    """
    if len(models) < 2 or len(models) != len(layers):
        raise ValueError(
            "models must be at least two, with the name of a layer for each. Got "
            f"{len(models)} and {len(layers)} names."
        )
    named = zip(models, layers, strict=True)
    traces = [trace_of(model, inputs, layer) for model, layer in named]
    rows = visible(traces[0]).sum(axis=-1) > 1
    count = rows.sum(axis=(1, 2))
    total = np.zeros(len(rows))
    pairs = list(combinations(traces, 2))
    for first, second in pairs:
        apart = jensen_shannon(
            np.asarray(first.weights, np.float64),
            np.asarray(second.weights, np.float64),
        )
        total += np.where(rows, apart, 0.0).sum(axis=(1, 2))
    mean = total / np.maximum(count, 1) / len(pairs)
    return np.where(count > 0, mean, np.nan)
