"""Other weights, as far from the model's own as can be, that give the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from regard.seeing.elementary import softmax
from regard.seeing.intervention import intervening
from regard.seeing.map_measures import jensen_shannon
from regard.seeing.metrics.classifier import Classifier, arrays_of, repeated
from regard.seeing.metrics.gradients import gradients
from regard.seeing.metrics.permutation import total_variation
from regard.seeing.metrics.received import trace_of, visible

__all__ = ["Adversary", "adversarial_weights"]

_FREE = 0.01  # of TVD that costs nothing while searching
_COST = 500.0
_TINY = 1e-12


@dataclass(frozen=True)
class Adversary:
    """What was found for each example.

    - ``weights`` ``(k, B, H, T, S)``: the other weights.
    - ``distance`` ``(k, B)``: TVD of their answers from the model's own.
    - ``divergence`` ``(k, B)``: JSD of their rows from the model's, 0 to ln 2.
    """

    weights: np.ndarray
    distance: np.ndarray
    divergence: np.ndarray

    def largest(self, tolerance: float = 0.05) -> np.ndarray:
        """``(B,)``: ε-max JSD, over those whose answer moved by at most ``tolerance``.

        0 where none did. Compare with ``seed_divergence``, the yardstick.
        """
        near = self.distance <= tolerance
        return np.where(near, self.divergence, 0.0).max(axis=0)


def adversarial_weights(
    classifier: Classifier,
    inputs: Any,
    layer: str,
    count: int = 5,
    steps: int = 500,
    rate: float = 0.01,
    seed: int = 0,
) -> Adversary:
    """Maximise Σ_i JSD(α, α_i) + 1/(k(k−1)) Σ_{i<j} JSD(α_i, α_j) at the same answer.

    An answer that moves by more than 0.01 in TVD costs 500 times the rest. The search
    is Adam's over logits of α_i, k = ``count``, and needs as many gradients as steps.

    Jain and Wallace 2019, "Attention is not Explanation", NAACL.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with; few examples, as all are held k times.
        layer: name or path of the attention layer.
        count: k, at least 2.
        steps: of the search.
        rate: of Adam.
        seed: of the first logits.
    """
    if count < 2:
        raise ValueError(f"count must be at least 2. Got {count}.")
    inputs = arrays_of(inputs)
    trace = trace_of(classifier.model, inputs, layer)
    seen = visible(trace)
    own = np.where(seen, np.asarray(trace.weights, np.float64), 0.0)
    before = classifier.predict(inputs)
    many = repeated(inputs, count)

    def answer(weights: Any) -> Any:
        with intervening(classifier.model, layer, partial(_instead, weights)):
            return classifier(many)

    masks = np.repeat(seen[None], count, axis=0)
    logits = np.random.default_rng(seed).normal(size=masks.shape)
    cost = partial(_cost, answer, own, before, masks)
    logits = _searched(cost, logits, steps, rate)
    found = softmax(logits, masks)
    flat = ops.convert_to_tensor(found.reshape(-1, *found.shape[2:]).astype("float32"))
    after = np.asarray(ops.convert_to_numpy(answer(flat)), np.float64)
    distance = total_variation(after.reshape(count, *before.shape), before[None])
    rows = seen.sum(axis=-1) > 1
    apart = np.where(rows, jensen_shannon(found, own[None]), 0.0).sum(axis=(2, 3))
    divergence = apart / np.maximum(rows.sum(axis=(1, 2)), 1)
    return Adversary(found, distance, divergence)


def _cost(
    answer: Callable[[Any], Any],
    own: np.ndarray,
    before: np.ndarray,
    masks: np.ndarray,
    logits: Any,
) -> Any:
    """What is minimised, summed over examples, which do not touch each other."""
    hidden = ops.convert_to_tensor(np.where(masks, 0.0, -1e9).astype("float32"))
    weights = ops.softmax(logits + hidden, axis=-1)
    count = masks.shape[0]
    rows = _per_row(masks[0])
    own_rows = ops.convert_to_tensor(own.astype("float32"))
    apart = ops.sum(_divergence(weights, own_rows[None]) * rows)
    pairs = ops.sum(_divergence(weights[:, None], weights[None]) * rows) / 2
    after = answer(ops.reshape(weights, (-1, *masks.shape[2:])))
    wanted = ops.convert_to_tensor(before.astype("float32"))
    after = ops.reshape(after, (count, *before.shape))
    moved = ops.sum(ops.abs(after - wanted[None]), axis=-1) / 2
    over = ops.sum(ops.relu(moved - _FREE))
    return _COST * over - apart - pairs / (count * (count - 1))


def _per_row(seen: np.ndarray) -> Any:
    """1/n for the n rows (B, H, T) of an example that see two keys, else 0."""
    rows = (seen.sum(axis=-1) > 1).astype("float32")
    return ops.convert_to_tensor(
        rows / np.maximum(rows.sum(axis=(1, 2), keepdims=True), 1)
    )


def _divergence(first: Any, second: Any) -> Any:
    """JSD along the last axis, as a tensor."""
    middle = (first + second) / 2

    def part(each: Any) -> Any:
        ratio = ops.maximum(each, _TINY) / ops.maximum(middle, _TINY)
        return ops.sum(each * ops.log(ratio), axis=-1)

    return (part(first) + part(second)) / 2


def _searched(
    cost: Callable[[Any], Any], logits: np.ndarray, steps: int, rate: float
) -> np.ndarray:
    """Adam with its usual constants."""
    mean, square = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, steps + 1):
        slope = gradients(cost, {"logits": logits})["logits"]
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        change = mean / (1 - 0.9**step)
        logits = logits - rate * change / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return logits


def _instead(weights: Any, made: Any, mask: Any) -> Any:
    return ops.cast(weights, made.dtype)
