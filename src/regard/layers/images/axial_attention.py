"""Axial attention: along one axis of the image after the other."""

import keras
from keras import ops

from regard.core import positions
from regard.core.shapes import sizes_of
from regard.layers.images.image_layer import ImageLayer, one_of
from regard.layers.multi_head_attention import MultiHeadAttention
from regard.layers.weights import check_units

AXES = ("height", "width")


@keras.saving.register_keras_serializable("regard")
class AxialAttention(ImageLayer):
    r"""Multi-head self-attention along the columns, then along the rows, of an image.

    Every axis has a ``MultiHeadAttention`` of its own, which sees one column (or row)
    at a time: H*W*(H + W) scores in place of (H*W)^2, and after both axes every pixel
    has heard of every other. Image (B, H, W, C) in, the same out, no residual. Weights
    are (B, W, heads, H, H) along the height, (B, H, heads, W, W) along the width, a
    tuple where there are several axes. A mask (B, H, W) hides pixels.

    Ho, Kalchbrenner, Weissenborn, Salimans 2019, "Axial attention in multidimensional
    transformers", arXiv:1912.12180.

    Args:
        num_heads, key_dim, value_dim, use_bias: of each attention.
        axes: among "height" and "width", in order.
        position: a scheme for the places along an axis; each axis gets its own copy.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "axial"

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        axes=AXES,
        position=None,
        use_bias=True,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        self.value_dim = check_units("value_dim", value_dim or key_dim)
        if isinstance(axes, str) or not axes or len(set(axes)) < len(axes):
            raise ValueError(f"axes must be a tuple of different names. Got {axes!r}.")
        self.axes = tuple(one_of("axes", each, AXES) for each in axes)
        self.position = positions.get(position)
        self.use_bias = bool(use_bias)
        self.attentions = [
            MultiHeadAttention(
                num_heads,
                key_dim,
                self.value_dim,
                use_bias=self.use_bias,
                position=self._copied_position(),
                name=axis,
                dtype=self.dtype_policy,
                **self.kernel_options(),
            )
            for axis in self.axes
        ]

    def _copied_position(self):
        """Parts hold weights of one layer, so they are not shared."""
        if self.position is None:
            return None
        return positions.get(keras.saving.serialize_keras_object(self.position))

    def reports_for(self):
        """Several axes show a map each; one axis is this layer's own."""
        return tuple(self.attentions) if len(self.axes) == 1 else ()

    def reads_with(self):
        return tuple(self.attentions)

    def add_weights(self, channels):
        for attention in self.attentions:
            attention.build((None, None, channels))

    def attended(self, image, mask, wanted):
        maps, images = {}, {}
        for axis, attention in zip(self.axes, self.attentions, strict=True):
            upright = axis == "height"
            image, maps[axis] = self._along(image, mask, attention, upright)
            images[f"after_{axis}"] = image
        found = {"context": image, "extra": {**maps, **images}}
        if len(maps) == 1:
            (weights,) = maps.values()
            found["weights"] = ops.reshape(weights, (-1, *sizes_of(weights)[2:]))
        return image, found

    def _along(self, image, mask, attention, upright):
        """One axis: the image that comes out, and the weights (B, lines, heads, …)."""
        if upright:
            image = ops.swapaxes(image, 1, 2)
            mask = None if mask is None else ops.swapaxes(mask, 1, 2)
        batch, lines, length, channels = sizes_of(image)
        rows = ops.reshape(image, (batch * lines, length, channels))
        if mask is not None:
            mask = ops.reshape(mask, (batch * lines, length))
        output, weights = attention(
            rows, query_mask=mask, value_mask=mask, return_attention_scores=True
        )
        output = ops.reshape(output, (batch, lines, length, channels))
        shape = (batch, lines, self.num_heads, length, length)
        weights = ops.reshape(weights, shape)
        return ops.swapaxes(output, 1, 2) if upright else output, weights

    def as_shown(self, found):
        maps = tuple(found["extra"][axis] for axis in self.axes)
        return maps if len(maps) > 1 else maps[0]

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        spec = super().compute_output_spec(inputs)
        if not return_attention_scores:
            return spec
        batch, height, width, _ = self._last(inputs.shape)
        lengths = {"height": (width, height), "width": (height, width)}
        maps = []
        for axis in self.axes:
            lines, length = lengths[axis]
            shape = (batch, lines, self.num_heads, length, length)
            maps.append(keras.KerasTensor(shape, dtype=self.compute_dtype))
        return spec, tuple(maps) if len(maps) > 1 else maps[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "axes": list(self.axes),
            "position": self.position
            and keras.saving.serialize_keras_object(self.position),
            "use_bias": self.use_bias,
        }
