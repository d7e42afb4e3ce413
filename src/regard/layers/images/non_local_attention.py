"""Non-local blocks: every pixel looks at every other."""

import keras

from regard.layers.images.pixel_attention import PixelAttention
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class NonLocalAttention(PixelAttention):
    r"""$y_i = x_i + g \odot W_z \sum_j \mathrm{normalizer}_j(\theta(x_i)^\top
    \phi(x_j))\, g(x_j)$ over all pixels j of the image.

    ``query`` (θ), ``key`` (φ) and ``value`` (g) project to half the channels,
    ``attention_output`` ($W_z$) back. Scores are not divided by $\sqrt d$. The gain
    (C,) starts at 0, so the layer starts as the identity. Image (B, H, W, C) in, the
    same out; weights (B, H·W, H·W). A mask (B, H, W) hides pixels.

    Wang, Girshick, Gupta, He 2017, "Non-local neural networks", arXiv:1711.07971,
    sections 3.2 (embedded Gaussian) and 3.3. In the paper the gain is the scale of a
    batch normalization; here it stands alone.

    Args:
        units: width of the projections, by default half the channels.
        normalizer: over the pixels; "softmax" is the embedded Gaussian.
        use_bias: of the four projections.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "non_local"

    def __init__(self, units=None, normalizer="softmax", use_bias=True, **options):
        super().__init__(normalizer, use_bias, **options)
        self.units = None if units is None else check_units("units", units)

    def add_projections(self, channels):
        units = self.units or max(1, channels // 2)
        for name in ("query", "key", "value"):
            setattr(self, name, self.dense(name, channels, units, self.use_bias))
        self.output_dense = self.dense(
            "attention_output", units, channels, self.use_bias
        )

    def gain_shape(self, channels):
        return (channels,)

    def merge(self, context):
        return self.output_dense(context)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
