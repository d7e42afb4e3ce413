"""Parts: small immutable objects that say how one step of an attention is done.

A part is built into a layer: its weights, if it has any, belong to the layer (they are
saved, trained and quantized with it), and its functions get them as arguments. Parts
are never shared between layers.
"""

from typing import Any

import keras


class Part:
    """Serializable, comparable by configuration; abstract."""

    def build(self, owner: Any, num_heads: int, width: int) -> tuple[Any, ...]:
        """Create the weights through ``owner.add_weight`` and return them, in order.

        Args:
            owner: the layer.
            num_heads: H.
            width: of a query, per head.
        """
        return ()

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({inside})"


def part_of(kind: type, value: Any, wanted: str) -> Any:
    """A part of this kind from itself or its configuration; None stays None.

    Raises:
        ValueError: for anything else, saying what is ``wanted``.
    """
    if isinstance(value, dict):
        value = keras.saving.deserialize_keras_object(value)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{wanted}. Got {value!r}.")
    return value
