"""Self-attention over the pixels of an image, and a residual that starts at zero."""

import keras
from keras import ops

from regard.changing import changes_of
from regard.core import normalizers, scores
from regard.core.attend import Recipe, Visibility, attend
from regard.core.shapes import sizes_of, with_head, without_head
from regard.layers.images.image_layer import ImageLayer


class PixelAttention(ImageLayer):
    """$y = x + g \\odot \\mathrm{out}(\\mathrm{attend}(x))$ with a gain g; abstract.

    A mechanism makes ``query``, ``key`` and ``value`` in ``add_projections`` and
    defines ``gain_shape``. The weights are (B, N, N) for N = H*W pixels, row by row.
    """

    def __init__(self, normalizer="softmax", use_bias=True, **options):
        super().__init__(**options)
        self.normalizer = normalizers.get(normalizer)
        self.use_bias = bool(use_bias)

    def add_projections(self, channels: int) -> None:
        """Create ``query``, ``key`` and ``value`` over the channels."""
        raise NotImplementedError(f"{type(self).__name__} must define add_projections.")

    def gain_shape(self, channels: int) -> tuple:
        """The shape of the gain."""
        return ()

    def merge(self, context):
        """What was read (B, N, V) as (B, N, C)."""
        return context

    def add_weights(self, channels):
        self.add_projections(channels)
        shape = self.gain_shape(channels)
        self.gain = self.add_weight(shape, name="gain", initializer="zeros")
        width = self.query.units
        self.normalizer_weights = self.normalizer.build(self, 1, width)

    def attended(self, image, mask, wanted):
        batch, height, width, channels = sizes_of(image)
        pixels = ops.reshape(image, (batch, height * width, channels))
        parts = {}
        if mask is not None:
            parts["padding"] = ops.reshape(mask, (batch, 1, 1, height * width))
        projections = {
            name: with_head(getattr(self, name)(pixels))
            for name in ("query", "key", "value")
        }
        weights = tuple(map(ops.convert_to_tensor, self.normalizer_weights))
        result = attend(
            **projections,
            recipe=Recipe(
                scores.dot,
                self.normalizer,
                normalizer_parameters=weights,
                changes=changes_of(self),
            ),
            visibility=Visibility(parts),
            want=("weights", "scores", "mask") if wanted else (),
        )
        read = self.merge(without_head(result["context"]))
        read = ops.reshape(read, ops.shape(image))
        return image + self.gain * read, {**result, **projections, "masks": parts}

    def weights_shape(self, shape):
        batch, height, width, _ = shape
        pixels = None if None in (height, width) else height * width
        return (batch, pixels, pixels)

    def as_shown(self, found):
        return without_head(found["weights"])

    def get_config(self):
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "use_bias": self.use_bias,
        }
