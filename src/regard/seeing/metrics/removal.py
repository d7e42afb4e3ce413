"""Taking tokens away from a model, in one of three ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regard.seeing.intervention import intervening
from regard.seeing.metrics.classifier import STEP, Classifier, in_chunks, rows_of

__all__ = ["Removal", "deleted", "hidden", "predictions", "replaced_by"]

#: ``removal(classifier, inputs, kept)``: probabilities (B, C) of inputs of which only
#: the tokens ``kept`` ``(B, S)`` are left.
Removal = Callable[[Classifier, Any, np.ndarray], Any]


def hidden(layers: Any = None) -> Removal:
    """Hide the token from attention layers (by default all), as padding is hidden.

    The input stays one that the model knows. What other layers passed on of the token,
    such as a recurrent one below or a residual connection, stays as well.
    """

    def remove(classifier: Classifier, inputs: Any, kept: np.ndarray) -> Any:
        with intervening(classifier.model, layers, shown=kept[:, None, None]):
            return classifier(inputs)

    return remove


def replaced_by(token: int) -> Removal:
    """Put a number that means nothing, such as that of [MASK], in the token's place."""

    def remove(classifier: Classifier, inputs: Any, kept: np.ndarray) -> Any:
        tokens = _tokens(inputs, kept)
        return classifier(np.where(kept, tokens, np.asarray(token, tokens.dtype)))

    return remove


def deleted(padding: int = 0) -> Removal:
    """Close the gap that the token leaves, and fill up with padding at the end.

    This makes inputs shorter than usual, which a model may never have seen.
    """

    def remove(classifier: Classifier, inputs: Any, kept: np.ndarray) -> Any:
        tokens = _tokens(inputs, kept)
        order = np.argsort(~kept, axis=1, kind="stable")
        moved = np.take_along_axis(np.where(kept, tokens, padding), order, axis=1)
        return classifier(moved.astype(tokens.dtype))

    return remove


def predictions(
    classifier: Classifier,
    inputs: Any,
    examples: np.ndarray,
    kept: np.ndarray,
    removal: Removal,
) -> np.ndarray:
    """``(N, C)``: what is said of the tokens ``kept`` ``(N, S)`` of ``examples``."""

    def run(numbers: np.ndarray) -> Any:
        some = rows_of(inputs, examples[numbers])
        return removal(classifier, some, kept[numbers])

    return in_chunks(len(examples), run, STEP)


def _tokens(inputs: Any, kept: np.ndarray) -> np.ndarray:
    tokens = inputs if isinstance(inputs, np.ndarray) else np.zeros(0)
    if tokens.shape != kept.shape or tokens.dtype.kind not in "iu":
        raise ValueError(
            "inputs must be one array (batch, length) of token numbers for tokens to "
            f"be replaced or deleted. Got {type(inputs).__name__} of shape "
            f"{tokens.shape}; use removal=hidden()."
        )
    return tokens
