"""``SeqSelfAttention``: a sequence reads itself, in a window if wanted."""

import keras
from keras import ops

from regard.compat.keras_self_attention.emission import Emission
from regard.compat.keras_self_attention.penalties import penalty
from regard.compat.reader import Reader, numbered, register, spread
from regard.core.scopes import Causal, Window
from regard.core.shapes import sizes_of, with_head, without_head
from regard.layers.weights import WeightOptions, check_units

__all__ = ["SeqSelfAttention"]


@register("keras_self_attention")
class SeqSelfAttention(Reader):
    r"""$c_t = \sum_s a_{ts} x_s,\ a_t = \mathrm{softmax}_s(\mathrm{act}(e_{ts}))$.

    Additive: $e_{ts} = W_a^\top \tanh(W_t^\top x_t + W_x^\top x_s + b_h) + b_a$ with
    ``Wt``, ``Wx`` (D, units), ``bh`` (units,), ``Wa`` (units, 1), ``ba`` (1,).
    Multiplicative: $e_{ts} = x_t^\top W_a x_s + b_a$ with ``Wa`` (D, D), ``ba`` (1,).
    Weights come in this order, which is the original's. Input (B, T, D), output the
    same; with ``return_attention`` the weights (B, T, T) as well. The values are the
    inputs themselves.

    Zheng et al. 2018, "OpenTag", arXiv:1806.01264, section 3.3.

    Args:
        units: width of the space of the additive score.
        attention_width: w; a query sees the keys within w // 2 on either side or, with
            history_only, the last w keys with itself. None: all.
        attention_type: "additive" or "multiplicative".
        return_attention: also return the weights.
        history_only: no query sees a later key.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint: of the weights.
        use_additive_bias, use_attention_bias: add ``bh``, ``ba``.
        attention_activation: of the scores, before hiding.
        attention_regularizer_weight: $\lambda$; adds the loss
            $\lambda / B \sum \lVert A A^\top - I \rVert^2$.
        faithful: bring back three defects. Padding is hidden from padding only, so
            that real queries look at it (the mask is inverted in effect). An even width
            w reaches w // 2 to the left and w // 2 - 1 to the right. And hiding
            subtracts 1e4, so that a query without any key to see looks at hidden ones.
            By default padding is hidden from all and gives 0 itself, windows are
            symmetric, and a query without any key gives 0.
        **options: of every layer.

    Raises:
        ValueError: where attention_type is unknown, or a size is not positive.
    """

    mechanism = "seq_self"
    ATTENTION_TYPE_ADD = "additive"
    ATTENTION_TYPE_MUL = "multiplicative"

    def __init__(  # noqa: PLR0913 - the original's arguments
        self,
        units=32,
        attention_width=None,
        attention_type="additive",
        return_attention=False,
        history_only=False,
        kernel_initializer="glorot_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_additive_bias=True,
        use_attention_bias=True,
        attention_activation=None,
        attention_regularizer_weight=0.0,
        faithful=False,
        **options,
    ):
        super().__init__(faithful, **options)
        self.attention_width = attention_width
        if attention_width is not None:
            self.attention_width = check_units("attention_width", attention_width)
        self.return_attention = bool(return_attention)
        self.history_only = bool(history_only)
        self.attention_regularizer_weight = float(attention_regularizer_weight)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.emission = Emission(
            attention_type,
            check_units("units", units),
            bool(use_additive_bias),
            bool(use_attention_bias),
            keras.activations.get(attention_activation),
        )

    def build(self, input_shape):
        kinds = {
            "kernel": self.weight_options.for_kernel,
            "bias": self.weight_options.for_bias,
        }
        for name, shape in self.emission.shapes(input_shape[-1]).items():
            kind = "kernel" if name[0] == "W" else "bias"
            setattr(self, name, self.add_weight(shape, name=name, **kinds[kind]()))
        self.built = True

    def call(self, inputs, mask=None):
        keep = self.keep(mask, inputs)
        scope = self._window()
        if self.faithful:
            bias = self._penalties(inputs, keep, scope)
            keep = scope = None
        else:
            inputs, bias = spread(inputs, keep, scope)
        weights_of = {name: getattr(self, name) for name in self.emission.names}
        query, key, recipe = self.emission.prepare(inputs, weights_of)
        memory = with_head(key), with_head(inputs)
        context, weights = self.read(
            with_head(query), memory, recipe, keep, keep, scope, bias
        )
        context, weights = without_head(context), without_head(weights)
        if self.attention_regularizer_weight:
            self.add_loss(self._redundancy(weights))
        return (context, weights) if self.return_attention else context

    def _window(self):
        """What the width and history_only leave to see."""
        width = self.attention_width
        if width is None:
            return Causal(offset=0) if self.history_only else None
        if self.history_only:
            return Window(width - 1)
        lopsided = self.faithful and width % 2 == 0
        return Window(width // 2, width // 2 - lopsided)

    @staticmethod
    def _penalties(inputs, keep, scope):
        """-1e4 outside the window, and -1e4 where padding looks at padding."""
        length = sizes_of(inputs)[1]
        total = None
        if scope is not None:
            total = penalty(scope.allows(numbered(length, length)))[None, None]
        if keep is not None:
            either = ops.logical_or(keep[:, :, None], keep[:, None, :])  # (B, T, T)
            padding = penalty(either)[:, None]
            total = padding if total is None else total + padding
        return total

    def _redundancy(self, weights):
        """Lin et al. 2017, arXiv:1703.03130, section 2.2, averaged over the batch."""
        batch, length, _ = sizes_of(weights)
        product = ops.matmul(weights, ops.swapaxes(weights, 1, 2))
        numbers = ops.arange(length)
        identity = ops.cast(numbers[:, None] == numbers[None], product.dtype)
        total = ops.sum(ops.square(product - identity))
        return self.attention_regularizer_weight * total / ops.cast(batch, total.dtype)

    def compute_mask(self, inputs, mask=None):
        return (mask, None) if self.return_attention else mask

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        pairs = (*shape[:2], shape[1])
        return (shape, pairs) if self.return_attention else shape

    def get_config(self):
        return {
            **super().get_config(),
            **self.emission.config(),
            "attention_width": self.attention_width,
            "return_attention": self.return_attention,
            "history_only": self.history_only,
            "attention_regularizer_weight": self.attention_regularizer_weight,
            **self.weight_options.config(),
        }

    @staticmethod
    def get_custom_objects():
        """For ``load_model(path, custom_objects=...)`` of old code."""
        return {"SeqSelfAttention": SeqSelfAttention}
