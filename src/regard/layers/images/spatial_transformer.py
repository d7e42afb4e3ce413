"""Spatial transformers: the network turns, moves and scales its own input."""

import keras
from keras import ops

from regard.core.images import as_given, channels_last, mean_over
from regard.core.sampling import as_pixels, bilinear
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.images.image_layer import ImageLayer
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class SpatialTransformer(ImageLayer):
    r"""$y(p) = x(\theta\,[p; 1])$ with $\theta = W f + b$, a 2x3 matrix per image.

    ``p`` runs over the pixels of the output, coordinates (x, y) from -1 to 1. ``f``
    (B, F) are features of a localization network, passed as the second argument; by
    default the mean of the image over its places. ``W`` (F, 6) starts at 0, ``b`` (6,)
    at the identity, so the layer starts as one. Image (B, H, W, C) in, (B, H', W', C)
    out, read bilinearly, zeros beyond the border.

    Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015, "Spatial transformer networks",
    arXiv:1506.02025, section 3.

    Args:
        size: (height, width) of the output, by default that of the input.
        align_corners: False where -1 and 1 are the outer edges of the image; True where
            they are the centres of the outer pixels.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "spatial_transformer"

    def __init__(self, size=None, align_corners=False, **options):
        options.setdefault("kernel_initializer", "zeros")
        super().__init__(**options)
        if size is not None:
            size = tuple(check_units("size", each) for each in size)
            if len(size) != 2:
                raise ValueError(f"size must be (height, width). Got {size}.")
        self.size = size
        self.align_corners = bool(align_corners)

    def build(self, inputs_shape, features_shape=None):
        super().build(inputs_shape)
        features = features_shape or self._last(inputs_shape)
        options = self.weight_options.for_kernel()
        self.kernel = self.add_weight((features[-1], 6), name="kernel", **options)
        self.bias = self.add_weight((6,), name="bias", initializer=_identity)

    def call(self, inputs, features=None):
        image = channels_last(inputs, self.data_format)
        if features is None:
            features = ops.cast(mean_over(image, None)[:, 0, 0], self.compute_dtype)
        matrix = widen(ops.matmul(features, self.kernel) + self.bias)
        batch, height, width, channels = sizes_of(image)
        matrix = ops.reshape(matrix, (batch, 2, 3))
        rows, columns = self.size or (height, width)
        x, y = (self._coordinates(count) for count in (columns, rows))
        shape = (rows, columns)
        grid = ops.stack(
            [
                ops.broadcast_to(ops.expand_dims(x, 0), shape),
                ops.broadcast_to(ops.expand_dims(y, 1), shape),
                ops.ones(shape),
            ],
            axis=-1,
        )
        places = ops.matmul(ops.reshape(grid, (1, -1, 3)), ops.swapaxes(matrix, 1, 2))
        pixels = as_pixels((places + 1) / 2, height, width, self.align_corners)
        output = ops.reshape(bilinear(image, pixels), (batch, rows, columns, channels))
        for listener in self.recorders():
            extra = {"matrix": matrix, "places": pixels}
            listener.receive(self, {"value": image, "context": output, "extra": extra})
        return as_given(ops.cast(output, self.compute_dtype), self.data_format)

    def _coordinates(self, count):
        """From -1 to 1, one for each pixel of an axis."""
        places = ops.cast(ops.arange(count), "float32")
        count = ops.cast(count, "float32")
        if self.align_corners:
            return places / ops.maximum(count - 1, 1.0) * 2 - 1
        return (places + 0.5) / count * 2 - 1

    def compute_mask(self, *args, **kwargs):
        return None

    def compute_output_shape(self, inputs_shape, features_shape=None):
        batch, height, width, channels = self._last(inputs_shape)
        height, width = self.size or (height, width)
        if self.data_format == "channels_first":
            return (batch, channels, height, width)
        return (batch, height, width, channels)

    def compute_output_spec(self, inputs, features=None):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "align_corners": self.align_corners,
        }


def _identity(shape, dtype=None):
    return ops.convert_to_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype)
