"""A model as what it says about classes, always in inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = [
    "CHUNK",
    "STEP",
    "Classifier",
    "arrays_of",
    "called",
    "count_of",
    "in_chunks",
    "repeated",
    "rows_of",
]

CHUNK = 256  # examples in one call
STEP = 32  # of their number, where it is of our choosing


@dataclass(frozen=True)
class Classifier:
    """``model(inputs)`` gives a distribution over classes for each example.

    That is ``(B, C)`` with rows that sum to 1, or ``(B,)`` or ``(B, 1)``, the
    probability of class 1. ``probabilities`` makes one of them from other outputs:
    ``keras.ops.softmax`` from logits, ``lambda outputs: outputs["label"]`` from a dict.
    """

    model: Any
    probabilities: Callable[[Any], Any] | None = None

    def __call__(self, inputs: Any) -> Any:
        """Probabilities (B, C) as a tensor, which gradients can enter."""
        found = called(self.model, inputs)
        if self.probabilities is not None:
            found = self.probabilities(found)
        found = ops.cast(_checked_rank(found), "float32")
        if len(found.shape) == 1:
            found = found[:, None]
        return ops.concatenate([1 - found, found], 1) if found.shape[1] == 1 else found

    def predict(self, inputs: Any) -> np.ndarray:
        """Probabilities ``(B, C)`` in float64, of so many examples at a time.

        Raises:
            ValueError: outputs that are no distributions.
        """
        inputs = arrays_of(inputs)
        found = in_chunks(count_of(inputs), lambda rows: self(rows_of(inputs, rows)))
        if found.min() < -1e-3 or np.abs(found.sum(axis=1) - 1).max() > 1e-2:
            raise ValueError(
                "model must give probabilities of classes, rows that sum to 1. Got "
                f"rows that sum to {found.sum(axis=1).min():.3g} to "
                f"{found.sum(axis=1).max():.3g}; for logits pass "
                "probabilities=keras.ops.softmax, or to regard.report the model as "
                "regard.metrics.Classifier(model, keras.ops.softmax)."
            )
        return found


def in_chunks(
    count: int, run: Callable[[np.ndarray], Any], step: int = 1
) -> np.ndarray:
    """What ``run(numbers)`` gives for the examples 0 to count - 1, in float64.

    CHUNK at a time, and always a multiple of ``step``, the last one again and again,
    lest a backend compiles its programs for every number of examples.
    """
    parts = []
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        whole = start + size + -size % step
        numbers = np.minimum(np.arange(start, whole), count - 1)
        parts.append(ops.convert_to_numpy(run(numbers))[:size])
    return np.concatenate(parts).astype(np.float64)


def called(model: Any, inputs: Any) -> Any:
    """What a model answers in inference."""
    tensors = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    return model(tensors, training=False)


def arrays_of(inputs: Any) -> Any:
    """Inputs (an array, or a list, tuple or dict of them) as NumPy arrays."""
    arrays = keras.tree.map_structure(
        lambda each: np.asarray(ops.convert_to_numpy(each)), inputs
    )
    leaves = keras.tree.flatten(arrays)
    if not leaves or any(each.ndim == 0 for each in leaves):
        raise ValueError(
            "data must be what the model is called with: an array or a list, tuple or "
            "dict of arrays, examples first. Got plain numbers; wrap them in "
            "numpy.array."
        )
    if len({len(each) for each in leaves}) > 1 or not len(leaves[0]):
        sizes = ", ".join(str(len(each)) for each in leaves)
        raise ValueError(
            "data must hold arrays of as many examples each, at least one. "
            f"Got {sizes}."
        )
    return arrays


def count_of(inputs: Any) -> int:
    """How many examples there are."""
    return len(keras.tree.flatten(inputs)[0])


def rows_of(inputs: Any, chosen: Any) -> Any:
    """Some of the examples, by numbers or a slice."""
    return keras.tree.map_structure(lambda each: each[chosen], inputs)


def repeated(inputs: Any, times: int) -> Any:
    """All examples, then all of them again."""
    return rows_of(inputs, np.tile(np.arange(count_of(inputs)), times))


def _checked_rank(found: Any) -> Any:
    if isinstance(found, (dict, list, tuple)) or len(found.shape) not in (1, 2):
        shape = type(found).__name__ if not hasattr(found, "shape") else found.shape
        raise ValueError(
            "model must give one distribution for each example, (batch, classes). Got "
            f"{shape}; pass probabilities=, a function that takes it out of the output."
        )
    return found
