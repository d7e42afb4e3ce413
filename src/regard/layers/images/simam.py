"""SimAM: a neuron that differs from its channel's mean counts more."""

import keras
from keras import ops

from regard.core.images import mean_over, pixel_count
from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate


@keras.saving.register_keras_serializable("regard")
class SimAM(ImageGate):
    r"""$y = x \odot \sigma\Big(\frac{d^2}{4(\sum d^2/n + \lambda)} + \frac12\Big)$,
    $d = x - \bar x$.

    Mean and sum run over the places of one channel and $n = HW - 1$. There are no
    weights to learn. Image (B, H, W, C) in, the same out; so is the gate.

    Yang, Zhang, Li, Xie 2021, "SimAM: a simple, parameter-free attention module for
    convolutional neural networks", ICML.

    Args:
        regularization: $\lambda$, positive.
        **options: data_format and the options of every layer. ``mask`` (B, H, W) in
            the call hides pixels.

    Raises:
        ValueError: where the input is no image, or regularization is not positive.
    """

    mechanism = "simam"
    gate_axes = (True, True, True)
    has_kernels = False

    def __init__(self, regularization=1e-4, **options):
        super().__init__(**options)
        if not regularization > 0:
            raise ValueError(f"regularization must be positive. Got {regularization}.")
        self.regularization = float(regularization)

    def gate(self, image, mask):
        squares = ops.square(widen(image) - mean_over(image, mask))
        if mask is not None:
            squares = ops.where(ops.expand_dims(mask, -1), squares, 0.0)
        others = ops.maximum(pixel_count(image, mask) - 1, 1.0)
        spread = ops.sum(squares, axis=(1, 2), keepdims=True) / others
        return ops.sigmoid(squares / (4 * (spread + self.regularization)) + 0.5)

    def get_config(self):
        return {**super().get_config(), "regularization": self.regularization}
