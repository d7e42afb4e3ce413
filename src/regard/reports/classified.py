"""What a classifier answers, explained otherwise than by attention too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regard.reports.documents import has_sentences, places_of
from regard.reports.example import Example
from regard.reports.extras import Explanation, Removal
from regard.reports.sentences import Sentences
from regard.seeing.metrics.classifier import Classifier, arrays_of, count_of
from regard.seeing.metrics.evidence import gradient_of, readers_of
from regard.seeing.metrics.order import in_order
from regard.seeing.metrics.received import received, trace_of, visible
from regard.seeing.metrics.removal import hidden, predictions
from regard.trace import Trace

__all__ = ["classified"]

#: How many of the strongest tokens are taken away, as far as some remain.
COUNTS = (0, 1, 2, 3, 5, 8, 13, 21, 34)


def classified(
    what: Any,
    inputs: tuple[Any, ...],
    examples: list[Example],
    classes: Sequence[str],
) -> list[Example]:
    """The examples with what the classifier answers, asked through its last layer.

    Raises:
        ValueError: no model, or names of classes that are not as many as its own.
    """
    classifier = what if isinstance(what, Classifier) else Classifier(what)
    if len(inputs) != 1 or not callable(what):
        raise ValueError(
            "classes must come with a model and its input, one array or a list or dict "
            f"of arrays. Got {type(what).__name__} and {len(inputs)} inputs."
        )
    layer = in_order(classifier.model, inputs[0])[-1]
    found = _explanations(classifier, inputs[0], layer, classes, examples)
    return [
        replace(
            example,
            output=max(each.probabilities, key=lambda name: each.probabilities[name]),
            explanation=each,
        )
        for example, each in zip(examples, found, strict=True)
    ]


def _explanations(
    classifier: Classifier,
    inputs: Any,
    layer: str,
    classes: Sequence[str],
    examples: Sequence[Example],
) -> list[Explanation]:
    """For each example: the probabilities of the classes, gradient x input of the
    tokens where it can be had, and the answer while the tokens that the layer weighs
    most are hidden from attention. Where it weighs sentences and words inside them,
    that is the product of both, over the whole document.

    Raises:
        ValueError: names of classes that are not as many as the model's.
    """
    inputs = arrays_of(inputs)
    predicted = classifier.predict(inputs)
    if len(classes) != predicted.shape[1]:
        raise ValueError(
            f"classes must name the {predicted.shape[1]} classes of the model. "
            f"Got {len(classes)} names."
        )
    trace = trace_of(classifier.model, inputs, layer)
    valid = np.any(visible(trace), axis=(1, 2))
    gradient = gradient_of(classifier, inputs, None, valid.shape)
    removal = _Removal(classifier, inputs, layer, trace)
    found = []
    for at in range(count_of(inputs)):
        shown = _shown(trace, examples[at], layer, valid[at])
        compared: dict[str, Sequence[float]] = {}
        if gradient is not None:
            compared["input_gradient"] = gradient[at, shown].tolist()
        answer = zip(classes, predicted[at].tolist(), strict=True)
        found.append(
            Explanation(
                probabilities=dict(answer),
                compared=compared,
                removal=removal.of(at, predicted[at], shown),
            )
        )
    return found


def _shown(trace: Trace, example: Example, layer: str, valid: np.ndarray) -> np.ndarray:
    """Which keys of the layer the page shows: of a document the words of sentences,
    which are filled up to the longest, of others all but the padding after them.
    """
    for record in example.records():
        sentences = record.sentences
        known = record.layer == layer and has_sentences(trace)
        if known and isinstance(sentences, Sentences):
            return places_of(trace, sentences.lengths)
    return np.arange(np.flatnonzero(valid).max(initial=-1) + 1)


class _Removal:
    """The answers without the strongest tokens, where they can be hidden."""

    def __init__(
        self, classifier: Classifier, inputs: Any, layer: str, trace: Trace
    ) -> None:
        self._scores = received(trace)
        self._valid = np.any(visible(trace), axis=(1, 2))
        self._by_product = has_sentences(trace)
        readers = readers_of(classifier.model, inputs, self._valid.shape[1])
        self._possible = layer in readers
        self._arguments = classifier, inputs
        self._hidden = hidden(readers)

    def of(self, at: int, whole: np.ndarray, shown: np.ndarray) -> Removal | None:
        """The points of one example; ``whole`` is the answer to all of it, ``shown``
        are the keys that the page's tokens are.
        """
        places = {int(key): place for place, key in enumerate(shown)}
        seen = np.array([key for key in places if self._valid[at, key]], int)
        counts = [count for count in COUNTS if count < len(seen)]
        if not self._possible or len(counts) < 2:
            return None
        order = seen[np.argsort(-self._scores[at, seen], kind="stable")]
        kept = np.repeat(self._valid[at : at + 1], len(counts) - 1, axis=0)
        for row, count in enumerate(counts[1:]):
            kept[row, order[:count]] = False
        examples = np.full(len(kept), at)
        left = predictions(*self._arguments, examples, kept, self._hidden)
        return Removal(
            order=[places[int(key)] for key in order],
            counts=counts,
            probabilities=np.vstack([whole, left]),
            by_product=self._by_product,
        )
