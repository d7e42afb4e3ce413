"""What all layers over images share: the layout, the mask of pixels, the trace."""

import keras
from keras import ops

from regard.core import images
from regard.core.masks import boolean_mask
from regard.core.shapes import mismatch, sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, fresh

KERNEL_OPTIONS = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_DEFAULTS = {"kernel_initializer": "glorot_uniform"}
LAYOUTS = ("channels_last", "channels_first")


class ImageLayer(Adaptable, Traceable):
    """Image in, image of the same size out; abstract.

    A mechanism defines ``add_weights(channels)`` and ``attended(image, mask, wanted)``,
    which gets (B, H, W, C) and returns the output and what a trace holds; where
    ``wanted``, "weights" among it.

    Args:
        data_format: "channels_last" (B, H, W, C) or "channels_first" (B, C, H, W); by
            default what Keras is set to.
        **options: kernel_ initializer, regularizer and constraint where there are
            kernels, and the options of every layer.
    """

    has_kernels = True

    def __init__(self, data_format=None, **options):
        names = KERNEL_OPTIONS if self.has_kernels else ()
        named = {name: options.pop(name, _DEFAULTS.get(name)) for name in names}
        super().__init__(**options)
        if data_format is None:
            data_format = keras.config.image_data_format()
        self.data_format = one_of("data_format", data_format, LAYOUTS)
        self.weight_options = WeightOptions(**named)
        self.supports_masking = True

    # What a mechanism fills in -------------------------------------------------------

    def add_weights(self, channels: int) -> None:
        """Create the weights."""

    def attended(self, image, mask, wanted):
        """(B, H, W, C) -> the output and a dict for the trace."""
        raise NotImplementedError(f"{type(self).__name__} must define attended.")

    def weights_shape(self, shape) -> tuple:
        """The shape of the weights for an image of ``shape`` (B, H, W, C)."""
        raise NotImplementedError(f"{type(self).__name__} must define weights_shape.")

    def as_shown(self, found):
        """The weights as the caller gets them, from what a trace holds."""
        return found["weights"]

    # Keras ---------------------------------------------------------------------------

    def build(self, inputs_shape):
        if len(inputs_shape) != 4 or self._last(inputs_shape)[-1] is None:
            raise ValueError(
                "inputs must be images with four axes, batch, height, width and "
                f"channels in the layout {self.data_format!r}, and a known number of "
                f"channels. Got {tuple(inputs_shape)}."
            )
        self.add_weights(self._last(inputs_shape)[-1])
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False):
        image = images.channels_last(inputs, self.data_format)
        mask = seen_pixels(join(mask, get_keras_mask(inputs)), image)
        listeners = self.recorders()
        wanted = bool(return_attention_scores or listeners)
        output, found = self.attended(hide(image, mask), mask, wanted)
        masks = {} if mask is None else {"padding": mask}
        for listener in listeners:
            listener.receive(self, {"masks": masks, **found})
        output = images.as_given(output, self.data_format)
        if return_attention_scores:
            return output, keras.tree.map_structure(
                lambda each: ops.cast(each, self.compute_dtype), self.as_shown(found)
            )
        return output

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        shape = self.compute_output_shape(inputs.shape)
        spec = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return spec
        shape = self.weights_shape(self._last(inputs.shape))
        return spec, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            **self.weight_options.config(),
        }

    # For mechanisms ------------------------------------------------------------------

    def dense(self, name, width, units, use_bias=True, activation=None):
        """A built ``Dense`` over the channels, which is a 1x1 convolution."""
        layer = keras.layers.Dense(
            units,
            activation,
            use_bias,
            name=name,
            dtype=self.dtype_policy,
            **self.kernel_options(),
        )
        layer.build((None, width))
        return layer

    def kernel_options(self):
        """The options of a kernel, for a layer inside this one."""
        return {k: fresh(v) for k, v in self.weight_options.options.items()}

    def _last(self, shape):
        """A shape in the order (B, H, W, C)."""
        if self.data_format == "channels_last":
            return tuple(shape)
        return (shape[0], *shape[2:], shape[1])


def one_of(name, value, allowed):
    """The value, or an error that lists what it may be."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}. Got {value!r}.")
    return value


def seen_pixels(mask, image):
    """A mask of pixels (B, H, W) as booleans, or None."""
    if mask is None:
        return None
    mask, sizes = boolean_mask(mask, "mask"), sizes_of(image)[:3]
    if mismatch(mask.shape, sizes, ones=(0,)):
        raise ValueError(
            f"mask must have shape (batch, height, width) = {tuple(sizes)}. Got "
            f"{tuple(mask.shape)}."
        )
    return mask
