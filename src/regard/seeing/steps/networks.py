"""What small networks beside an attention compute: activations, joined features."""

from collections.abc import Callable
from typing import Any

import numpy as np

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
    "silu": lambda x: x * 0.5 * (1.0 + np.tanh(0.5 * x)),
    "sigmoid": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)),
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
    "/": lambda x, y: np.where(y == 0, 0.0, x / np.where(y == 0, 1.0, y)),
}
