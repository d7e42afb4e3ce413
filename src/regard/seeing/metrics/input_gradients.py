"""Explanation by the gradient of the tokens' vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from regard.seeing.metrics.classifier import CHUNK, Classifier, count_of, rows_of
from regard.seeing.metrics.gradients import gradients
from regard.seeing.replacing import replaced

__all__ = ["chosen_sum", "classes_of", "gradient_times_input"]


def gradient_times_input(
    classifier: Classifier,
    inputs: Any,
    classes: np.ndarray | None = None,
    embedding: str | None = None,
) -> np.ndarray:
    """``(B, S)``: ∂ŷ_c/∂x_j · x_j, x_j the vector of token j.

    Args:
        classifier: the model.
        inputs: token numbers for a model with an embedding, of documents ``(B, N, S)``
            too, whose words then stand one after another; or one array ``(B, S, ...)``
            of numbers such as frames of sound.
        classes: c ``(B,)``, by default the class predicted.
        embedding: name of the ``keras.layers.Embedding``, by default the first one.

    Raises:
        ValueError: numbers of tokens and no such embedding.
    """
    classes = classes_of(classifier, inputs, classes)
    layer = _embedding(classifier.model, inputs, embedding)
    parts = []
    for start in range(0, count_of(inputs), CHUNK):
        part = slice(start, start + CHUNK)
        some, wanted = rows_of(inputs, part), classes[part]
        vectors, say = _vectors(classifier, layer, some)
        answer = _answer(classifier, say, wanted)
        products = gradients(answer, {"vectors": vectors})["vectors"] * vectors
        tokens = products.shape[1:2] if layer is None else products.shape[1:-1]
        parts.append(products.reshape(len(products), math.prod(tokens), -1).sum(axis=2))
    return np.concatenate(parts)


def classes_of(classifier: Classifier, inputs: Any, classes: Any) -> np.ndarray:
    if classes is None:
        return classifier.predict(inputs).argmax(axis=1)
    return np.asarray(classes)


def _answer(classifier: Classifier, say: Callable, classes: np.ndarray) -> Callable:
    return lambda vectors: chosen_sum(say(vectors), classes)


def _vectors(
    classifier: Classifier, layer: Any, some: Any
) -> tuple[np.ndarray, Callable[[Any], Any]]:
    """The vectors of the tokens, and what the model says of others in their place."""
    if layer is None:
        (only,) = keras.tree.flatten(some)
        return np.asarray(only, np.float64), classifier

    def say(vectors: Any) -> Any:
        with replaced(layer, "call", lambda *given, **options: vectors):
            return classifier(some)

    return _embedded(classifier, layer, some), say


def chosen_sum(probabilities: Any, classes: np.ndarray) -> Any:
    """Σ over examples of ŷ_c, whose gradients keep the examples apart."""
    one = ops.one_hot(ops.convert_to_tensor(classes), probabilities.shape[1])
    return ops.sum(probabilities * ops.cast(one, probabilities.dtype))


def _embedding(model: Any, inputs: Any, name: str | None) -> Any:
    """The layer that makes vectors of token numbers; None where inputs are vectors."""
    leaves = keras.tree.flatten(inputs)
    if name is None and len(leaves) == 1 and leaves[0].dtype.kind == "f":
        return None
    found = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.Embedding)
        and (name is None or name in (layer.name, layer.path))
    ]
    if not found:
        raise ValueError(
            "embedding must name a keras.layers.Embedding of the model, which makes "
            f"vectors of tokens. Got {name!r}, and the model has none of that name."
        )
    return found[0]


def _embedded(classifier: Classifier, layer: Any, some: Any) -> np.ndarray:
    """What the layer makes of the tokens, (B, S, D)."""
    seen: list[np.ndarray] = []
    method = layer.call

    def call(*given: Any, **options: Any) -> Any:
        vectors = method(*given, **options)
        seen.append(np.asarray(ops.convert_to_numpy(vectors), np.float64))
        return vectors

    with replaced(layer, "call", call):
        classifier(some)
    if len(seen) != 1:
        raise ValueError(
            "embedding must be called once when the model reads tokens. Got "
            f"{layer.name!r}, which was called {len(seen)} times; name another."
        )
    return seen[0]
