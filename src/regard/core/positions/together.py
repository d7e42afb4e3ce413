"""Two position schemes at once."""

import keras

from regard.core.positions.part import Position

__all__ = ["Together"]


@keras.saving.register_keras_serializable("regard")
class Together(Position):
    """Two schemes, one after the other: written ``first + second``.

    Queries and keys are placed by both, what they add to scores and to contexts is
    summed, and weights are changed by the first, then by the second.

    Raises:
        ValueError: where a side is not a position scheme.
    """

    def __init__(self, first: Position, second: Position):
        for side in (first, second):
            if not isinstance(side, Position):
                raise ValueError(
                    "both sides of + must be regard.positions schemes such as RoPE(). "
                    f"Got {side!r}."
                )
        self.first, self.second = first, second
        self.count = first.count + second.count

    @property
    def relative(self):
        return self.first.relative and self.second.relative

    def build(self, owner, num_heads, width, value_width=None):
        first = self.first.build(owner, num_heads, width, value_width)
        return (*first, *self.second.build(owner, num_heads, width, value_width))

    def _each(self, parameters):
        """Each scheme with its own weights."""
        split = self.first.count
        return (self.first, parameters[:split]), (self.second, parameters[split:])

    def place_queries(self, query, positions, *parameters):
        for scheme, own in self._each(parameters):
            query = scheme.place_queries(query, positions, *own)
        return query

    def place_keys(self, key, positions, *parameters):
        for scheme, own in self._each(parameters):
            key = scheme.place_keys(key, positions, *own)
        return key

    def bias(self, query, key, grid, *parameters):
        return _sum(
            scheme.bias(query, key, grid, *own)
            for scheme, own in self._each(parameters)
        )

    def reweigh(self, weights, grid, *parameters):
        for scheme, own in self._each(parameters):
            weights = scheme.reweigh(weights, grid, *own)
        return weights

    def read(self, weights, grid, *parameters):
        return _sum(
            scheme.read(weights, grid, *own) for scheme, own in self._each(parameters)
        )

    def get_config(self):
        return {
            "first": keras.saving.serialize_keras_object(self.first),
            "second": keras.saving.serialize_keras_object(self.second),
        }

    @classmethod
    def from_config(cls, config):
        read = keras.saving.deserialize_keras_object
        return cls(read(config["first"]), read(config["second"]))

    def __repr__(self):
        return f"({self.first!r} + {self.second!r})"


def _sum(tensors):
    """The sum of those that are not None, or None."""
    total = None
    for tensor in tensors:
        if tensor is not None:
            total = tensor if total is None else total + tensor
    return total
