"""Softmax, norms, activations and their like in NumPy."""

from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np

Array = Any


def sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(x)))


def softmax(scores: Array, mask: Array = True, axis: int = -1) -> Array:
    """Along an axis over what the mask shows; a row that sees nothing is zero."""
    scores = np.asarray(scores, "float64")
    seen = np.broadcast_to(mask, scores.shape)
    high = np.max(scores, axis, where=seen, initial=-np.inf, keepdims=True)
    high = np.where(np.isfinite(high), high, 0.0)
    shares = np.where(seen, np.exp(np.where(seen, scores - high, 0.0)), 0.0)
    total = shares.sum(axis, keepdims=True)
    return shares / np.where(total > 0, total, 1.0)


def largest(x: Array, mask: Array = True) -> Array:
    """Of what the mask shows; 0 where it shows nothing."""
    seen = np.broadcast_to(mask, np.shape(x))
    return np.max(x, where=seen, initial=-np.inf) if np.any(mask) else 0.0


def quotient(x: Array, y: Array) -> Array:
    """x / y; 0 where y is 0."""
    whole = np.asarray(y) != 0
    return np.where(whole, x / np.where(whole, y, 1.0), 0.0)


def unit(x: Array, axis: int = -1) -> Array:
    """Of length one along an axis; zero stays zero."""
    return quotient(x, np.sqrt(np.sum(np.square(x), axis, keepdims=True)))


def dot(left: Array, right: Array) -> Array:
    """Along the last axis."""
    return np.sum(left * right, -1)


def fold(step: Callable[..., Array], start: Array, *sequences: Array) -> Array:
    """The state after each step, (T, …): ``step(state, *of this step)``."""
    states = []
    for each in zip(*sequences, strict=True):
        start = step(start, *each)
        states.append(start)
    return np.stack(states) if states else np.zeros((0, *np.shape(start)))


def shifted(x: Array, start: Array = 0.0) -> Array:
    """One place later along the first axis, beginning with ``start``."""
    first = np.broadcast_to(start, np.shape(x)[1:])[None]
    return np.concatenate([first, x[:-1]])


def convolution(x: Array, kernel: Array) -> Array:
    """(S, C) with a kernel (width, C, F), as many places out as in, zeros outside."""
    width = len(kernel)
    before = (width - 1) // 2
    padded = np.pad(x, ((before, width - 1 - before), (0, 0)))
    windows = np.stack([padded[n : n + len(x)] for n in range(width)])  # (width, S, C)
    return np.einsum("wsc,wcf->sf", windows, kernel)


def layer_norm(
    x: Array, gamma: Array = 1.0, beta: Array = 0.0, tiny: float = 1e-3
) -> Array:
    """Of mean 0 and variance 1 along the last axis, then scaled and moved."""
    mean = np.mean(x, -1, keepdims=True)
    spread = np.mean(np.square(x - mean), -1, keepdims=True)
    return (x - mean) / np.sqrt(spread + tiny) * gamma + beta


def rms_norm(x: Array, gamma: Array = 1.0, tiny: float = 1e-6) -> Array:
    """Of mean square 1 along the last axis, then scaled."""
    return x / np.sqrt(np.mean(np.square(x), -1, keepdims=True) + tiny) * gamma


def one_hot(number: Array, size: int) -> Array:
    return (np.arange(size) == np.asarray(number)[..., None]).astype("float64")


def gelu(x: Array) -> Array:
    """With the error function."""
    return 0.5 * x * (1.0 + np.vectorize(erf)(x / np.sqrt(2.0)))


def leaky_relu(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * np.asarray(x))


def elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


# Name -> how it is computed, how written in a formula, whether by whole rows.
ELEMENTARY: dict[str, tuple[Any, ...]] = {
    "sigmoid": (sigmoid, r"\sigma({0})"),
    "softmax": (softmax, r"\mathrm{{softmax}}({0})", True),
    "largest": (largest, r"\max({0})", True),
    "quotient": (quotient, r"\frac{{{0}}}{{{1}}}"),
    "unit": (unit, r"{0} / \lVert {0} \rVert"),
    "dot": (dot, r"{0} \cdot {1}"),
    "fold": (fold,),
    "shifted": (shifted,),
    "convolution": (convolution, "", True),
    "layer_norm": (layer_norm, r"\mathrm{{LN}}({0})"),
    "rms_norm": (rms_norm, r"\mathrm{{RMS}}({0})"),
    "one_hot": (one_hot,),
    "gelu": (gelu,),
    "leaky_relu": (leaky_relu, r"\mathrm{{LeakyReLU}}({0})"),
    "elu": (elu,),
}
