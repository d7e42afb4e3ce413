"""Four questions to attention as an explanation, answered apart and never added up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from regard.seeing.capture import attention_layers
from regard.seeing.intervention import intervening
from regard.seeing.metrics.classifier import (
    Classifier,
    arrays_of,
    called,
    count_of,
    rows_of,
)
from regard.seeing.metrics.input_gradients import gradient_times_input
from regard.seeing.metrics.order import in_order
from regard.seeing.metrics.questions import (
    NOT_TESTED,
    Asked,
    Evidence,
    agreement,
    comprehensiveness,
    permutation,
    uniform,
)
from regard.seeing.metrics.received import received, trace_of, visible
from regard.seeing.metrics.removal import hidden
from regard.seeing.metrics.settings import Settings

__all__ = ["evidence", "gradient_of", "readers_of"]


def evidence(
    model: Any, data: Any, labels: Any, layer: str | None = None, **settings
) -> tuple[Evidence, ...]:
    """Ask whether the weights of a classifier's layer explain its answers.

    1. "comprehensiveness": is AOPC of the tokens with the largest weights, minus that
       of random tokens, above 0?
    2. "permutation": is the median change of the answer above 0.05 in TVD, when the
       weights of a row are permuted?
    3. "uniform": is accuracy with uniform weights worse by more than two seeds differ?
    4. "agreement": is Kendall's τ of weights and gradient x input above the 95th
       percentile of random rankings?

    It supports where the whole 95 % interval is above the baseline (for the fourth the
    mean τ, as the baseline is a percentile already).

    Args:
        model: a classifier, in inference throughout.
        data: what it is called with: an array or a list, tuple or dict of arrays.
        labels: ``(B,)``, the numbers of the right classes.
        layer: name or path of the layer, by default the last attention called.
        **settings: as of ``Settings``.

    Raises:
        ValueError: a layer that cannot be asked, labels that do not fit, or outputs
            that are no probabilities.
    """
    chosen, inputs = Settings(**settings), arrays_of(data)
    labels = _checked_labels(labels, count_of(inputs))
    classifier = Classifier(model, chosen.probabilities)
    name = in_order(model, inputs, layer)[-1]
    trace = trace_of(model, inputs, name)
    scores, valid = received(trace), np.any(visible(trace), axis=(1, 2))
    readers = readers_of(model, inputs, valid.shape[1])
    removal = chosen.removal or hidden(readers)
    gradient = gradient_of(classifier, inputs, chosen.embedding, valid.shape)
    asked = Asked(classifier, inputs, scores, valid, removal, chosen)
    questions: list[tuple[str, bool, Callable[[], Evidence]]] = [
        (
            "comprehensiveness",
            chosen.removal is not None or name in readers,
            lambda: comprehensiveness(asked, gradient),
        ),
        ("permutation", name in readers, lambda: permutation(asked, name)),
        (
            "uniform",
            chosen.uniform is not None or name in readers,
            lambda: uniform(asked, labels, name),
        ),
        ("agreement", True, lambda: agreement(asked, gradient)),
    ]
    return tuple(
        ask() if possible else Evidence(question, NOT_TESTED, reason="no table")
        for question, possible, ask in questions
    )


def gradient_of(
    classifier: Classifier, inputs: Any, embedding: str | None, shape: tuple
) -> np.ndarray | None:
    """gradient x input ``(B, S)`` of the tokens that the layer reads, or None."""
    try:
        found = gradient_times_input(classifier, inputs, embedding=embedding)
    except ValueError:
        if embedding is not None:
            raise
        return None
    return found if found.shape == shape else None


def readers_of(model: Any, inputs: Any, keys: int) -> list[str]:
    """The layers that read so many keys with a table of weights that can change."""
    one, found = rows_of(inputs, slice(0, 1)), []
    for name in attention_layers(model):
        shapes: list[tuple[int, ...]] = []

        def look(weights: Any, mask: Any, shapes: list = shapes) -> Any:
            shapes.append(tuple(weights.shape))
            return weights

        with suppress(ValueError), intervening(model, name, look):
            called(model, one)
        if shapes and all(shape[-1] == keys for shape in shapes):
            found.append(name)
    return found


def _checked_labels(labels: Any, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (count,) or labels.dtype.kind not in "iub":
        raise ValueError(
            f"labels must be {count} numbers of classes, one for each example. Got "
            f"{labels.dtype} of shape {labels.shape}."
        )
    return labels.astype(int)
