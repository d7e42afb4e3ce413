"""Shifted windows: attention within tiles of the image, and tiles between them."""

import keras
from keras import ops

from regard.core import windows
from regard.core.positions import WindowBias
from regard.core.shapes import sizes_of
from regard.layers.images.image_layer import ImageLayer
from regard.layers.multi_head_attention import MultiHeadAttention
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class ShiftedWindowAttention(ImageLayer):
    r"""Multi-head attention within windows of M x M pixels, with a bias per distance.

    Scores are $q^\top k / \sqrt d + B[\Delta y, \Delta x]$. With a ``shift`` the image
    is rolled up and to the left first, so that windows lie across the borders of the
    unshifted ones, and rolled back afterwards; pixels that the roll brought together
    from opposite ends do not see each other. Images that are no whole number of windows
    are padded, and the padding hidden. Layers with shift 0 and M // 2 alternate.

    Image (B, H, W, C) in, the same out; no residual. Weights (B, windows, heads, M*M,
    M*M). A mask (B, H, W) hides pixels.

    Liu et al. 2021, "Swin transformer: hierarchical vision transformer using shifted
    windows", arXiv:2103.14030, section 3.2.

    Args:
        num_heads: heads.
        window: M, or (height, width).
        shift: how far to roll, one number or (height, width), less than the window.
        key_dim: width of a head, by default C / num_heads.
        use_bias: of the four projections.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "shifted_window"

    def __init__(
        self,
        num_heads,
        window=7,
        shift=0,
        key_dim=None,
        use_bias=True,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.window, self.shift = pair("window", window, 1), pair("shift", shift, 0)
        if any(s >= w for s, w in zip(self.shift, self.window, strict=True)):
            raise ValueError(
                f"shift must be less than the window {self.window}. Got {self.shift}."
            )
        self.key_dim = None if key_dim is None else check_units("key_dim", key_dim)
        self.use_bias = bool(use_bias)

    def add_weights(self, channels):
        if self.key_dim is None and channels % self.num_heads:
            raise ValueError(
                "the channels of inputs must be divisible by num_heads="
                f"{self.num_heads}, or key_dim given. Got {channels}."
            )
        self.attention = MultiHeadAttention(
            self.num_heads,
            self.key_dim or channels // self.num_heads,
            use_bias=self.use_bias,
            position=WindowBias(self.window),
            name="attention",
            dtype=self.dtype_policy,
            **self.kernel_options(),
        )
        self.attention.build((None, None, channels))

    def reports_for(self):
        return (self.attention,) if self.built else ()

    def attended(self, image, mask, wanted):
        batch, height, width, _ = sizes_of(image)
        if mask is None:
            mask = ops.ones((batch, height, width), dtype="bool")
        tiles = windows.padded(image, self.window)
        real = windows.padded(mask, self.window)
        tall, wide = sizes_of(tiles)[1:3]
        pairs = None
        if any(self.shift):
            tiles, real = (windows.rolled(t, self.shift) for t in (tiles, real))
            pairs = windows.belong_together(tall, wide, self.window, self.shift)
            pairs = ops.tile(pairs, (batch, 1, 1))
        real = windows.cut(real, self.window)
        output, weights = self.attention(
            windows.cut(tiles, self.window),
            query_mask=real,
            value_mask=real,
            attention_mask=pairs,
            return_attention_scores=True,
        )
        output = windows.joined(output, self.window, batch, tall, wide)
        if any(self.shift):
            output = windows.rolled(output, tuple(-each for each in self.shift))
        output = output[:, :height, :width]
        places = self.window[0] * self.window[1]
        shape = (batch, -1, self.num_heads, places, places)
        found = {"weights": weights, "context": output}
        return output, {**found, "extra": {"windows": ops.reshape(weights, shape)}}

    def as_shown(self, found):
        return found["extra"]["windows"]

    def weights_shape(self, shape):
        batch, height, width, _ = shape
        places = self.window[0] * self.window[1]
        count = None
        if None not in (height, width):
            count = -(-height // self.window[0]) * -(-width // self.window[1])
        return (batch, count, self.num_heads, places, places)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "window": list(self.window),
            "shift": list(self.shift),
            "key_dim": self.key_dim,
            "use_bias": self.use_bias,
        }


def pair(name, value, least):
    """One number for both axes or two, as two integers."""
    sides = (value, value) if hasattr(value, "__index__") else tuple(value)
    if len(sides) != 2 or any(
        not hasattr(each, "__index__") or each < least for each in sides
    ):
        raise ValueError(
            f"{name} must be an integer of at least {least}, or two of them. Got "
            f"{value!r}."
        )
    return tuple(int(each) for each in sides)
