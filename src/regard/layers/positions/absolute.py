"""What layers that add an encoding of the place to their inputs share."""

import keras
from keras import ops

from regard.core import masks
from regard.core.scopes import integers
from regard.core.shapes import sizes_of


class AbsolutePositions(keras.layers.Layer):
    """Adds ``encodings(places)`` to its inputs; abstract.

    Places count real tokens: padding on the left moves nothing, and padded places come
    out as zeros. Pass ``positions`` where a step or a packed sequence stands elsewhere.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True

    def encodings(self, places, width: int):
        """Integers (…, T) -> (…, T, D)."""
        raise NotImplementedError(f"{type(self).__name__} must define encodings.")

    def check_length(self, length) -> None:
        """Raise where a sequence of this length, without padding, has no encoding."""

    def call(self, inputs, mask=None, positions=None):
        batch, length, width = sizes_of(inputs)
        if mask is not None:
            mask = masks.position_mask(mask, "mask", batch, length)
            inputs = ops.where(mask[..., None], inputs, ops.zeros_like(inputs))
        if positions is not None:
            positions = integers("positions", positions)
        elif mask is not None:
            count = ops.cumsum(ops.cast(mask, "int32"), axis=-1)
            positions = ops.maximum(count - 1, 0)
        else:
            self.check_length(length)
            positions = ops.arange(length, dtype="int32")
        places = ops.cast(self.encodings(positions, width), inputs.dtype)
        while len(places.shape) < 3:
            places = ops.expand_dims(places, 0)
        output = inputs + places
        if mask is not None:
            output = ops.where(mask[..., None], output, ops.zeros_like(output))
        return output

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def compute_output_spec(self, inputs, mask=None, positions=None):
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
