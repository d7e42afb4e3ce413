"""Multi-head attention, a drop-in for ``keras.layers.MultiHeadAttention``."""

import keras

from regard.layers.heads.projected import ProjectedHeads, check_flash


@keras.saving.register_keras_serializable("regard")
class MultiHeadAttention(ProjectedHeads):
    r"""$\mathrm{concat}_h\big(\mathrm{attend}(xW^Q_h, yW^K_h, zW^V_h)\big) W^O$.

    Scores are $q^\top k / \sqrt{\text{key\_dim}}$ in every head. The constructor, the
    order of the weights and the sublayers ``query key value (gate) attention_output``
    are those of Keras' layer. Output (B, T, Dq) or (B, T, output_shape); weights
    (B, H, T, S).

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.2.2.
    Our ``key_dim`` is the paper's $d_k$ (per head), ``value_dim`` its $d_v$.

    Differs from Keras' layer where that one is wrong: all masks are joined and nothing
    is taken off the caller's tensors, asking for weights changes nothing, a float mask
    raises, and with T < S the causal mask is aligned to the last query.

    Args:
        num_heads, key_dim: heads, and width of queries and keys per head.
        value_dim: width of values per head, by default key_dim.
        use_bias: of the four projections.
        output_shape: width of the output, by default that of the query.
        attention_axes: None or the one axis of time; other axes are not supported.
        flash_attention: None or False. The engine picks its path: see ``regard.plan``.
        use_gate: multiply each head's context by sigmoid(query W + b) (Qiu et al. 2025,
            arXiv:2505.06708).
        sliding_window: ``w`` as in Keras, which is ``scope=Window(w - 1, w - 1)``.
        kernel_/bias_ initializer, regularizer, constraint: of the projections;
            activity_regularizer: of the output.
        scale, query_key_norm: of the products, as in ``GroupedQueryAttention``.

    Raises:
        ValueError: for a size that is not a positive integer, or an unsupported option.
    """

    mechanism = "multi_head"

    def __init__(  # noqa: PLR0913 - Keras' own signature
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        sliding_window=None,
        seed=None,
        **options,
    ):
        super().__init__(
            num_heads,
            key_dim,
            value_dim,
            use_bias,
            output_shape,
            dropout=dropout,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            sliding_window=sliding_window,
            seed=seed,
            **options,
        )
        check_axes(attention_axes)
        check_flash(flash_attention)
        self.attention_axes = attention_axes
        self.flash_attention = flash_attention

    def get_config(self):
        return {
            **super().get_config(),
            "attention_axes": self.attention_axes,
            "flash_attention": self.flash_attention,
        }


def check_axes(axes):
    """Only the axis of time, 1, is attended over."""
    if axes not in (None, 1, (1,), [1]):
        raise ValueError(
            f"attention_axes must be None or 1, the axis of time. Got {axes!r}. "
            "Reshape inputs with more axes to (batch, length, width) first."
        )
