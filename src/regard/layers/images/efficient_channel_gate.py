"""Efficient channel attention: each channel looks at its neighbours."""

import math

import keras
from keras import ops

from regard.core.images import mean_over
from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class EfficientChannelGate(ImageGate):
    r"""$y = x \odot \sigma(k * z)$, $z$ the mean over all places, along the channels.

    ``k`` has kernel_size numbers and slides over the C means, zeros beyond the first
    and the last. Image (B, H, W, C) in, the same out; the gate is (B, 1, 1, C). Unlike
    squeeze-and-excitation nothing is squeezed, and the order of channels matters.

    Wang, Wu, Zhu, Li, Zuo, Hu 2019, "ECA-Net", arXiv:1910.03151.

    Args:
        kernel_size: odd; None takes the odd number next to (log2 C + 1) / 2, as the
            paper does.
        use_bias: add a number to every logit.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or kernel_size is even.
    """

    mechanism = "efficient_channel_gate"

    def __init__(self, kernel_size=None, use_bias=False, **options):
        super().__init__(**options)
        if kernel_size is not None and check_units("kernel_size", kernel_size) % 2 == 0:
            raise ValueError(f"kernel_size must be odd or None. Got {kernel_size}.")
        self.kernel_size = kernel_size
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        self.convolution = keras.layers.Conv1D(
            1,
            self.kernel_size or usual_size(channels),
            padding="same",
            data_format="channels_last",
            use_bias=self.use_bias,
            name="convolution",
            dtype=self.dtype_policy,
            **self.kernel_options(),
        )
        self.convolution.build((None, None, 1))

    def gate(self, image, mask):
        means = mean_over(image, mask)[:, 0, 0, :, None]  # (B, C, 1)
        logits = widen(self.convolution(means))[:, None, None, :, 0]
        return ops.sigmoid(logits)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
        }


def usual_size(channels: int) -> int:
    """The paper's kernel size: odd, growing with the logarithm of the channels."""
    size = int((math.log2(channels) + 1) / 2)
    return size if size % 2 else size + 1
