"""How arrays of another package get into a layer of ours."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

Array = np.ndarray
Converter = Callable[..., keras.Layer]


def array_of(tensor: Any) -> Array:
    """A variable of Keras, a tensor of torch or an array, as float32 NumPy.

    ``tensor.value`` is Keras' array; ``detach`` is torch's way out of its graph.
    """
    if isinstance(tensor, keras.Variable):
        tensor = keras.ops.convert_to_numpy(tensor.value)
    elif hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().float().numpy()
    return np.asarray(tensor, "float32")


def filled(layer, widths: tuple[int, ...], weights: Mapping[str, Array], rank: int = 3):
    """Build the layer and give every weight its array, by its path in the layer.

    ``widths`` are those of the inputs: of query, value and key, or of the one; ``rank``
    is how many axes they have.

    Raises:
        ValueError: where names or shapes do not fit; then the options do not either.
    """
    layer.build(*((*[None] * (rank - 1), width) for width in widths))
    own = {w.path.removeprefix(f"{layer.path}/"): w for w in layer.weights}
    if set(own) != set(weights):
        raise ValueError(
            f"weights must be {sorted(own)} for this {type(layer).__name__}. Got "
            f"{sorted(weights)}."
        )
    for name, variable in own.items():
        array = array_of(weights[name])
        if tuple(variable.shape) != array.shape:
            raise ValueError(
                f"{name} must have shape {tuple(variable.shape)}. Got {array.shape}."
            )
        variable.assign(array)
    return layer


def split_heads(kernel: Array, heads: int) -> Array:
    """torch's (H * d, D) -> Keras' (D, H, d)."""
    out, width = kernel.shape
    return array_of(kernel).T.reshape(width, heads, out // heads)


def join_heads(kernel: Array, heads: int) -> Array:
    """torch's output weight (D, H * d) -> Keras' (H, d, D)."""
    width, inner = kernel.shape
    return array_of(kernel).T.reshape(heads, inner // heads, width)


def chosen(table: Mapping[str, Converter], source: Any, package: str) -> Converter:
    """The converter for the class of ``source`` or of what it derives from."""
    for each in type(source).__mro__:
        if each.__name__ in table:
            return table[each.__name__]
    raise ValueError(
        f"source must be a layer of {package} among {', '.join(sorted(table))}. Got "
        f"{type(source).__name__}."
    )
