"""What small networks beside an attention compute: activations, joined features."""

from collections.abc import Callable
from typing import Any

import numpy as np

from regard.seeing.elementary import layer_norm, quotient, sigmoid

Array = Any


def activation(name: Any, x: Array) -> Array:
    """Of Keras' name or configuration; what is not known here is asked of Keras."""
    if name in (None, "linear"):
        return x
    if isinstance(name, str) and name in _KNOWN:
        return _KNOWN[name](np.asarray(x))
    import keras

    found = keras.activations.get(name)(np.asarray(x, "float32"))
    return np.asarray(keras.ops.convert_to_numpy(found), "float64")


_KNOWN: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x * sigmoid(x),
    "sigmoid": sigmoid,
}


def combined(combination: str, x: Array, y: Array) -> Array:
    """(D,) and (S, D) -> (S, F): the terms of ``"x,y,x*y"`` side by side."""
    sides = {"x": np.broadcast_to(x, (len(y), len(x))), "y": np.asarray(y)}
    terms = (term.replace(" ", "") for term in combination.split(","))
    return np.concatenate([_term(term, sides) for term in terms], -1)


def _term(term: str, sides: dict[str, Array]) -> Array:
    if len(term) == 1:
        return sides[term]
    return _JOINED[term[1]](sides[term[0]], sides[term[2]])


_JOINED: dict[str, Callable[[Array, Array], Array]] = {
    "*": np.multiply,
    "+": np.add,
    "-": np.subtract,
    "/": quotient,
}


def whole_statistics(x: Array, real: Array) -> Array:
    """(S, D) -> (2 D,): mean and spread of what is real, zero where nothing is."""
    if not np.any(real):
        return np.zeros(2 * np.shape(x)[-1])
    found = x[real]
    spread = np.sqrt(np.maximum(np.var(found, 0), 1e-12))
    return np.concatenate([np.mean(found, 0), spread])


def clean(x: Array, real: Array) -> Array:
    """Rows that are not real as zeros."""
    return np.where(np.reshape(real, (-1, 1)), x, 0.0)


def with_one(x: Array) -> Array:
    """A one at the end of each row."""
    return np.pad(x, ((0, 0), (0, 1)), constant_values=1.0)


def best_seen(scores: Array, mask: Array) -> Array:
    """(T, S) -> (T,): the largest score of each row that is seen, or 0."""
    seen = np.broadcast_to(mask, np.shape(scores))
    best = np.max(scores, -1, where=seen, initial=-np.inf)
    return np.where(np.isfinite(best), best, 0.0)


def clean_words(x: Array, real: Array) -> Array:
    """Words (N, S, D) that are not real as zeros."""
    return np.where(np.reshape(real, (*np.shape(x)[:2], 1)), x, 0.0)


def heads_read(weights: Array, values: Array) -> Array:
    """(H, T, S), (S, H D) -> (T, H D): each head reads its piece of the values."""
    pieces = np.split(values, len(weights), axis=-1)
    read = [one @ piece for one, piece in zip(weights, pieces, strict=True)]
    return np.concatenate(read, axis=-1)


def fed_forward(x: Array, weights: Any, name: str) -> Array:
    """What a block of sets does with what was read: norms, if any, and ReLU."""
    held = weights.values

    def normed(x: Array, norm: str) -> Array:
        if f"{name}_{norm}_gamma" not in held:
            return x
        gamma, beta = (held[f"{name}_{norm}_{each}"] for each in ("gamma", "beta"))
        return layer_norm(x, gamma, beta, 1e-5)

    x = normed(x, "norm")
    kernel, bias = (held[f"{name}_feed_forward_{n}"] for n in ("kernel", "bias"))
    return normed(x + np.maximum(x @ kernel + bias, 0.0), "output_norm")


# Name -> how it is computed and, in a formula, written.
NETWORKS: dict[str, tuple[Callable[..., Any], str]] = {
    "activation": (activation, "f({0})"),
    "combined": (combined, r"[{0}, {1}, \dots]"),
    "whole_statistics": (whole_statistics, ""),
    "clean_words": (clean_words, "{0}"),
    "heads_read": (heads_read, r"{0} \, {1}"),
    "fed_forward": (fed_forward, ""),
    "best_seen": (best_seen, r"\max({0})"),
    "single": (lambda x: np.asarray(x, "float32"), "{0}"),
    "clean": (clean, "{0}"),
    "with_one": (with_one, "[{0}; 1]"),
}
