"""Four questions to attention as an explanation, answered apart and never added up."""

from __future__ import annotations

from typing import Any

import numpy as np

from regard.seeing.capture import attention_layers, capture, choose
from regard.seeing.metrics.classifier import (
    Classifier,
    arrays_of,
    called,
    count_of,
    rows_of,
)
from regard.seeing.metrics.input_gradients import gradient_times_input
from regard.seeing.metrics.questions import (
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

__all__ = ["evidence", "layer_asked"]


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
        layer: name or path of the layer, by default the last attention of the model.
        **settings: as of ``Settings``.

    Raises:
        ValueError: a layer that cannot be asked, labels that do not fit, or outputs
            that are no probabilities.
    """
    chosen, inputs = Settings(**settings), arrays_of(data)
    labels = _checked_labels(labels, count_of(inputs))
    classifier = Classifier(model, chosen.probabilities)
    name = layer_asked(model, layer)
    trace = trace_of(model, inputs, name)
    scores, valid = received(trace), np.any(visible(trace), axis=(1, 2))
    if chosen.removal is None:
        removal = hidden(_readers(model, inputs, valid.shape[1]))
    else:
        removal = chosen.removal
    gradient = _gradient(classifier, inputs, chosen.embedding, valid.shape)
    asked = Asked(classifier, inputs, scores, valid, removal, chosen)
    return (
        comprehensiveness(asked, gradient),
        permutation(asked, name),
        uniform(asked, labels, name),
        agreement(asked, gradient),
    )


def _gradient(
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


def layer_asked(model: Any, layers: Any = None) -> str:
    """The path of the last of these attention layers, by default of all."""
    found = attention_layers(model)
    return list(choose(found, layers))[-1]


def _readers(model: Any, inputs: Any, keys: int) -> list[str]:
    """The layers that read so many keys with a table of weights."""
    with capture(model) as maps:
        called(model, rows_of(inputs, slice(0, 1)))
    return [
        name
        for name, calls in maps.items()
        if calls and all(np.shape(call.weights)[-1:] == (keys,) for call in calls)
    ]


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
