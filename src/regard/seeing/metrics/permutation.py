"""Whether it matters which token gets which weight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from regard.seeing.intervention import intervening
from regard.seeing.metrics.classifier import (
    STEP,
    Classifier,
    count_of,
    in_chunks,
    rows_of,
)
from regard.seeing.metrics.received import trace_of, visible

__all__ = ["Permutation", "permutation_test", "permuted", "total_variation"]


@dataclass(frozen=True)
class Permutation:
    """For each example ``(B,)``: the median TVD, and the mean of the rows' max_j α_ij.

    Little distance where the largest weight is high: attention did not matter. NaN
    where no row sees two keys, so that there is nothing to permute.
    """

    median: np.ndarray
    largest_weight: np.ndarray


def permutation_test(
    classifier: Classifier, inputs: Any, layer: str, draws: int = 100, seed: int = 0
) -> Permutation:
    """Permute each row of a layer's weights over what it may see, all else as it was.

    TVD(ŷ¹, ŷ²) = ½ Σ_c |ŷ¹_c − ŷ²_c| of the answers before and after; all in inference
    (the code of the paper leaves dropout on).

    Jain and Wallace 2019, "Attention is not Explanation", NAACL.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with.
        layer: name or path of the attention layer.
        draws: permutations of each example.
        seed: of the permutations.
    """
    trace = trace_of(classifier.model, inputs, layer)
    change = partial(_drawn, np.random.default_rng(seed))
    before = classifier.predict(inputs)
    count = count_of(inputs)

    def run(numbers: np.ndarray) -> Any:
        return classifier(rows_of(inputs, numbers % count))

    with intervening(classifier.model, layer, change):
        after = in_chunks(draws * count, run, STEP).reshape(draws, *before.shape)
    median = np.median(total_variation(after, before[None]), axis=0)
    seen = visible(trace)
    rows = seen.sum(axis=-1) > 1
    largest = np.where(seen, np.asarray(trace.weights), 0).max(axis=-1)
    counted = rows.sum(axis=(1, 2))
    mean = (largest * rows).sum(axis=(1, 2)) / np.maximum(counted, 1)
    return Permutation(
        *(np.where(counted > 0, each, np.nan) for each in (median, mean))
    )


def total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """½ Σ_c |p_c − q_c| along the last axis: 0 alike, 1 nothing in common."""
    return np.abs(first - second).sum(axis=-1) / 2


def permuted(
    weights: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Each row with the weights of what it may see in another order."""
    places = np.argsort(~mask, axis=-1, kind="stable")
    mixed = np.argsort(np.where(mask, rng.random(mask.shape), 2.0), axis=-1)
    moved = np.empty_like(weights)
    taken = np.take_along_axis(weights, mixed, axis=-1)
    np.put_along_axis(moved, places, taken, axis=-1)
    return np.where(mask, moved, weights)


def _drawn(rng: np.random.Generator, weights: Any, mask: Any) -> Any:
    known = ops.convert_to_numpy(weights)
    seen = np.broadcast_to(ops.convert_to_numpy(mask), known.shape)
    return ops.convert_to_tensor(permuted(known, seen, rng))
