"""The spatial gate of CBAM: a convolution says which places count."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class SpatialGate(ImageGate):
    r"""$y = x \odot \sigma(k * [\max_c x; \mathrm{mean}_c x])$, one number per place.

    ``k`` (kernel_size, kernel_size, 2, 1) convolves the largest and the mean channel of
    each place, zeros outside the image. Image (B, H, W, C) in, the same out; the gate
    is (B, H, W, 1).

    Woo, Park, Lee, Kweon 2018, arXiv:1807.06521, section 3, "Spatial attention module".
    The authors' code puts batch normalization before the sigmoid; at inference that is
    another kernel and bias.

    Args:
        kernel_size: height and width of the kernel, 7 in the paper.
        use_bias: add a bias to the convolution.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "spatial_gate"
    gate_axes = (True, True, False)

    def __init__(self, kernel_size=7, use_bias=True, **options):
        super().__init__(**options)
        self.kernel_size = check_units("kernel_size", kernel_size)
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        self.convolution = keras.layers.Conv2D(
            1,
            self.kernel_size,
            padding="same",
            data_format="channels_last",
            use_bias=self.use_bias,
            name="convolution",
            dtype=self.dtype_policy,
            **self.kernel_options(),
        )
        self.convolution.build((None, None, None, 2))

    def gate(self, image, mask):
        largest = ops.max(image, axis=-1, keepdims=True)
        mean = ops.cast(ops.mean(widen(image), axis=-1, keepdims=True), image.dtype)
        logits = self.convolution(ops.concatenate([largest, mean], axis=-1))
        return ops.sigmoid(widen(logits))

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
        }
