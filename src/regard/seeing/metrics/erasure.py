"""How many weights must go before the model decides otherwise."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from keras import ops

from regard.seeing.intervention import intervening
from regard.seeing.metrics.classifier import STEP, Classifier, in_chunks, rows_of

__all__ = ["erased", "flip_fraction", "flips"]


def flips(
    classifier: Classifier,
    inputs: Any,
    layer: str,
    scores: np.ndarray,
    valid: np.ndarray,
) -> np.ndarray:
    """``(B,)`` boolean: whether the decision flips once the token that scores most has
    weight 0 and the rest of each row is scaled to what the row was.

    Serrano and Smith 2019, "Is Attention Interpretable?", ACL. Arguments as in
    ``flip_fraction``.
    """
    return _flipped(classifier, inputs, layer, scores, valid, most=1)[0]


def flip_fraction(
    classifier: Classifier,
    inputs: Any,
    layer: str,
    scores: np.ndarray,
    valid: np.ndarray,
) -> np.ndarray:
    """``(B,)``: the share of valid tokens to erase, those that score most first, until
    the decision flips; 1 where it never does, NaN with fewer than two tokens.

    Less is better for an explanation: compare with random scores and with gradients.

    Args:
        classifier: the model.
        inputs: arrays, as it is called with.
        layer: name or path of the attention layer whose weights are erased.
        scores: ``(B, S)``, of an explanation.
        valid: ``(B, S)``, True = a token that may be erased.
    """
    counts = np.asarray(valid, bool).sum(axis=1)
    flipped = _flipped(classifier, inputs, layer, scores, valid)
    first = flipped.argmax(axis=0) + 1
    share = np.where(flipped.any(axis=0), first / np.maximum(counts, 1), 1.0)
    return np.where(counts > 1, share, np.nan)


def erased(kept: np.ndarray, weights: Any, mask: Any = None) -> Any:
    """Weights (B, H, T, S) with 0 where not ``kept`` (B, S), rows summing as before."""
    left = weights * ops.cast(ops.convert_to_tensor(kept[:, None, None]), weights.dtype)
    before, after = (ops.sum(each, -1, keepdims=True) for each in (weights, left))
    return left * before / ops.maximum(after, 1e-12)


def _flipped(
    classifier: Classifier,
    inputs: Any,
    layer: str,
    scores: np.ndarray,
    valid: np.ndarray,
    most: int | None = None,
) -> np.ndarray:
    """``(M, B)``: another class after erasing the first 1, 2, ..., never all tokens."""
    valid = np.asarray(valid, bool)
    order = np.argsort(np.where(valid, -np.asarray(scores), np.inf), 1, kind="stable")
    ranks = np.argsort(order, axis=1)
    counts = valid.sum(axis=1)
    steps = np.arange(1, max(2, counts.max()))[:most]
    kept = ranks[None] >= steps[:, None, None]  # (M, B, S)
    before = classifier.predict(inputs).argmax(axis=1)
    batch, flat = len(before), kept.reshape(-1, kept.shape[-1])

    def run(numbers: np.ndarray) -> Any:
        with intervening(classifier.model, layer, partial(erased, flat[numbers])):
            return classifier(rows_of(inputs, numbers % batch))

    after = in_chunks(len(flat), run, STEP).argmax(axis=1).reshape(-1, batch)
    return (after != before) & (steps[:, None] < counts)
