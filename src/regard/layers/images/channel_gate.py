"""The channel gate of CBAM: several summaries of the image, one network for all."""

import keras
from keras import ops

from regard.core.images import POOLS
from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate
from regard.layers.images.image_layer import one_of
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class ChannelGate(ImageGate):
    r"""$y = x \odot \sigma\big(\sum_p \mathrm{MLP}(\mathrm{pool}_p(x))\big)$.

    One MLP for every pool: ``W_1`` (C, C/ratio), relu, ``W_2`` (C/ratio, C), with
    biases. Image (B, H, W, C) in, the same out; the gate is (B, 1, 1, C).

    Woo, Park, Lee, Kweon 2018, "CBAM: convolutional block attention module",
    arXiv:1807.06521, section 3, "Channel attention module".

    Args:
        ratio: how many times fewer hidden units than channels.
        pools: among "average", "max", "length" (root of the sum of squares) and
            "log_sum_exp", over all places.
        use_bias: add biases in both layers.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "channel_gate"

    def __init__(self, ratio=16, pools=("average", "max"), use_bias=True, **options):
        super().__init__(**options)
        self.ratio = check_units("ratio", ratio)
        if isinstance(pools, str) or not pools:
            raise ValueError(f"pools must be a tuple of names. Got {pools!r}.")
        self.pools = tuple(one_of("pools", name, tuple(POOLS)) for name in pools)
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        hidden = max(1, channels // self.ratio)
        self.squeeze = self.dense("squeeze", channels, hidden, self.use_bias, "relu")
        self.excite = self.dense("excite", hidden, channels, self.use_bias)

    def gate(self, image, mask):
        logits = 0.0
        for name in self.pools:
            pooled = POOLS[name](image, mask)
            logits = logits + widen(self.excite(self.squeeze(pooled)))
        return ops.sigmoid(logits)

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "pools": list(self.pools),
            "use_bias": self.use_bias,
        }
