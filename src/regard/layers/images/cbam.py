"""The convolutional block attention module: a gate of channels, then one of places."""

import keras
from keras import ops

from regard.layers.images.channel_gate import ChannelGate
from regard.layers.images.image_gate import ImageGate
from regard.layers.images.spatial_gate import SpatialGate


@keras.saving.register_keras_serializable("regard")
class CBAM(ImageGate):
    r"""$x' = x \odot a_c(x),\quad y = x' \odot a_s(x')$: channels first, places second.

    ``a_c`` is the gate of ``ChannelGate``, ``a_s`` that of ``SpatialGate``. Image
    (B, H, W, C) in, the same out; the gate is their product (B, H, W, C).

    Woo, Park, Lee, Kweon 2018, "CBAM: convolutional block attention module",
    arXiv:1807.06521, section 3.

    Args:
        ratio, pools: of the channel gate.
        kernel_size: of the spatial gate.
        use_bias: add biases in both.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "cbam"
    gate_axes = (True, True, True)

    def __init__(
        self,
        ratio=16,
        kernel_size=7,
        pools=("average", "max"),
        use_bias=True,
        **options,
    ):
        super().__init__(**options)
        shared = {"use_bias": use_bias, "dtype": self.dtype_policy}
        shared |= {"data_format": "channels_last"}
        self.channels = ChannelGate(
            ratio, pools, name="channels", **shared, **self.kernel_options()
        )
        self.places = SpatialGate(
            kernel_size, name="places", **shared, **self.kernel_options()
        )

    def reports_for(self):
        return (self.channels, self.places)

    def add_weights(self, channels):
        self.channels.build((None, None, None, channels))
        self.places.build((None, None, None, channels))

    def gate(self, image, mask):
        channels = self.channels.gate(image, mask)
        places = self.places.gate(image * ops.cast(channels, image.dtype), mask)
        return channels * places

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.channels.ratio,
            "kernel_size": self.places.kernel_size,
            "pools": list(self.channels.pools),
            "use_bias": self.places.use_bias,
        }
