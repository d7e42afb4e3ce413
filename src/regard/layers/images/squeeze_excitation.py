"""Squeeze-and-excitation: the whole image decides how much each channel counts."""

import keras
from keras import ops

from regard.core.images import mean_over
from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class SqueezeExcitation(ImageGate):
    r"""$y = x \odot \sigma(W_2\,\mathrm{relu}(W_1 z))$, $z$ the mean over all places.

    ``W_1`` (C, C/ratio), ``W_2`` (C/ratio, C); at least one hidden unit. Image
    (B, H, W, C) in, the same out; the gate is (B, 1, 1, C). Order and number of the
    pixels do not matter; where ``W_2`` is 0 every channel is halved.

    Hu, Shen, Sun 2017, "Squeeze-and-excitation networks", arXiv:1709.01507,
    section 3.

    Args:
        ratio: how many times fewer hidden units than channels.
        use_bias: add a bias in both layers; the paper's equations have none.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "squeeze_excitation"

    def __init__(self, ratio=16, use_bias=False, **options):
        super().__init__(**options)
        self.ratio = check_units("ratio", ratio)
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        hidden = max(1, channels // self.ratio)
        self.squeeze = self.dense("squeeze", channels, hidden, self.use_bias, "relu")
        self.excite = self.dense("excite", hidden, channels, self.use_bias)

    def gate(self, image, mask):
        return ops.sigmoid(widen(self.excite(self.squeeze(mean_over(image, mask)))))

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio, "use_bias": self.use_bias}
