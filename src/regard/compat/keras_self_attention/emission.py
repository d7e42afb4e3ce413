"""The two scores of ``SeqSelfAttention``, before anything is hidden."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import ops

from regard.core import normalizers, scores
from regard.core.attend import Recipe

__all__ = ["Emission"]


@dataclass(frozen=True)
class Emission:
    """Which weights there are, and how inputs become scores."""

    attention_type: str
    units: int
    additive_bias: bool
    attention_bias: bool
    activation: Any

    def __post_init__(self):
        if self.attention_type not in ("additive", "multiplicative"):
            raise ValueError(
                'attention_type must be "additive" or "multiplicative". Got '
                f"{self.attention_type!r}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The weights, in the original's order."""
        return tuple(self.shapes(1))

    def shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Shape of each weight for inputs of this width."""
        if self.attention_type == "multiplicative":
            shapes: dict[str, tuple[int, ...]] = {"Wa": (width, width)}
        else:
            shapes = {"Wt": (width, self.units), "Wx": (width, self.units)}
            if self.additive_bias:
                shapes["bh"] = (self.units,)
            shapes["Wa"] = (self.units, 1)
        if self.attention_bias:
            shapes["ba"] = (1,)
        return shapes

    def prepare(self, inputs, weights):
        """Queries and keys (B, T, ·), and how they are compared."""
        offset = weights.get("ba")
        given = () if offset is None else (ops.convert_to_tensor(offset),)
        softmax = normalizers.Softmax()
        if self.attention_type == "multiplicative":
            score = partial(_multiplicative, self.activation)
            query = ops.matmul(inputs, weights["Wa"])
            return query, inputs, Recipe(score, softmax, given)
        query = ops.matmul(inputs, weights["Wt"])
        if self.additive_bias:
            query = query + weights["bh"]
        vector = ops.squeeze(ops.convert_to_tensor(weights["Wa"]), -1)
        score = partial(_additive, self.activation)
        recipe = Recipe(score, softmax, (vector, *given))
        return query, ops.matmul(inputs, weights["Wx"]), recipe

    def config(self) -> dict[str, Any]:
        """The layer's arguments that are kept here."""
        return {
            "units": self.units,
            "attention_type": self.attention_type,
            "use_additive_bias": self.additive_bias,
            "use_attention_bias": self.attention_bias,
            "attention_activation": keras.activations.serialize(self.activation),
        }


def _additive(activation, query, key, vector, *offset):
    return _finish(activation, scores.additive(query, key, vector), *offset)


def _multiplicative(activation, query, key, *offset):
    return _finish(activation, scores.dot(query, key), *offset)


def _finish(activation, pairs, *offset):
    """(B, 1, T, S): add the bias, then the activation."""
    for each in offset:
        pairs = pairs + scores.widen(each)
    return activation(pairs)
