"""The attention of self-attention GANs."""

import keras

from regard.layers.images.pixel_attention import PixelAttention
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class SAGANAttention(PixelAttention):
    r"""$y_i = x_i + \gamma \sum_j \mathrm{normalizer}_j(f(x_i)^\top g(x_j))\, h(x_j)$.

    ``query`` and ``key`` project to C/ratio channels, ``value`` keeps C. Scores are not
    divided by $\sqrt d$; the normalizer runs over the pixels j that are read. ``gain``
    ($\gamma$, one number) starts at 0, so the layer starts as the identity. Image
    (B, H, W, C) in, the same out; weights (B, H·W, H·W). A mask (B, H, W) hides pixels.

    Zhang, Goodfellow, Metaxas, Odena 2018, "Self-attention generative adversarial
    networks", arXiv:1805.08318, section 3. As in most code for it, and unlike the
    paper, values are not narrowed and widened again.

    Args:
        ratio: how many times narrower queries and keys are than the image.
        normalizer: over the pixels.
        use_bias: of the three projections.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "sagan"

    def __init__(self, ratio=8, normalizer="softmax", use_bias=True, **options):
        super().__init__(normalizer, use_bias, **options)
        self.ratio = check_units("ratio", ratio)

    def add_projections(self, channels):
        units = max(1, channels // self.ratio)
        self.query = self.dense("query", channels, units, self.use_bias)
        self.key = self.dense("key", channels, units, self.use_bias)
        self.value = self.dense("value", channels, channels, self.use_bias)

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}
