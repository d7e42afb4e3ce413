"""Coordinate attention: one gate for the rows, one for the columns."""

import keras
from keras import ops

from regard.core.images import mean_over
from regard.core.scores import widen
from regard.layers.images.image_gate import ImageGate
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class CoordinateGate(ImageGate):
    r"""$y_{ij} = x_{ij} \odot \sigma(W_h f(\bar x_{i\cdot})) \odot \sigma(W_w f(\bar
    x_{\cdot j}))$ with one $f(u) = \mathrm{act}(W u + b)$ for rows and columns.

    ``W`` (C, M) with M = max(least, C/ratio); ``W_h``, ``W_w`` (M, C), with biases.
    Image (B, H, W, C) in, the same out; the gate is (B, H, W, C).

    Hou, Zhou, Feng 2021, "Coordinate attention for efficient mobile network design",
    arXiv:2103.02907. The paper normalizes by batch before the activation;
    at inference that is another ``W`` and ``b``.

    Args:
        ratio: how many times fewer hidden units than channels.
        least: the smallest number of hidden units.
        activation: "hard_silu" as in the paper.
        use_bias: add biases in all three.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer. ``mask`` (B, H, W) in the call hides pixels.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "coordinate_gate"
    gate_axes = (True, True, True)

    def __init__(
        self, ratio=32, least=8, activation="hard_silu", use_bias=True, **options
    ):
        super().__init__(**options)
        self.ratio = check_units("ratio", ratio)
        self.least = check_units("least", least)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        hidden = max(self.least, channels // self.ratio)
        self.squeeze = self.dense(
            "squeeze", channels, hidden, self.use_bias, self.activation
        )
        self.rows = self.dense("rows", hidden, channels, self.use_bias)
        self.columns = self.dense("columns", hidden, channels, self.use_bias)

    def gate(self, image, mask):
        rows = self.rows(self.squeeze(mean_over(image, mask, 2)))  # (B, H, 1, C)
        columns = self.columns(self.squeeze(mean_over(image, mask, 1)))  # (B, 1, W, C)
        return ops.sigmoid(widen(rows)) * ops.sigmoid(widen(columns))

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "least": self.least,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
