"""Grouped queries, a drop-in for ``keras.layers.GroupQueryAttention``."""

import keras

from regard.layers.heads.projected import ProjectedHeads, check_flash
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class GroupedQueryAttention(ProjectedHeads):
    r"""H query heads read the keys and values of G heads, H/G of them the same ones.

    $c_h = \mathrm{attend}(xW^Q_h, yW^K_{g(h)}, zW^V_{g(h)}),\quad
    g(h) = \lfloor hG/H \rfloor$

    G = H is multi-head attention, G = 1 multi-query attention (Shazeer 2019,
    arXiv:1911.02150). Consecutive heads share, as in Llama and Keras; a cache is H/G
    times smaller, and keys are never copied. Output (B, T, Dq) or (B, T, output_shape);
    weights (B, H, T, S).

    Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from
    Multi-Head Checkpoints", arXiv:2305.13245, section 2.2.

    Differs from Keras' layer where that one is wrong: query, key and value may have any
    widths, a row with nothing to look at gives zeros, and with T < S the causal mask is
    aligned to the last query.

    Args:
        head_dim: width of queries, keys and (without value_dim) values per head.
        num_query_heads: H.
        num_key_value_heads: G, a divisor of H.
        use_bias: of the four projections.
        sliding_window: ``w`` as in Keras, which is ``scope=Window(w - 1, w - 1)``.
        flash_attention: None or False. The engine picks its path: see ``regard.plan``.
        use_gate: multiply each head's context by sigmoid(query W + b).
        options: head_order, "repeat" (Llama, Keras, torch) or "tile", where head h
            reads h mod G (x-transformers) and keys are copied; value_dim,
            output_shape, scale, query_key_norm and what every attention takes.

    Raises:
        ValueError: for a size that is not a positive integer, heads that do not divide,
            or an unknown order.
    """

    mechanism = "grouped_query"

    def __init__(  # noqa: PLR0913 - Keras' own signature
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **options,
    ):
        super().__init__(
            check_units("num_query_heads", num_query_heads),
            check_units("head_dim", head_dim),
            use_bias=use_bias,
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
            num_key_value_heads=check_units("num_key_value_heads", num_key_value_heads),
            **options,
        )
        check_flash(flash_attention)
        self.flash_attention = flash_attention

    def get_config(self):
        config = super().get_config()
        names = {"key_dim": "head_dim", "num_heads": "num_query_heads"}
        return {
            **{names.get(name, name): value for name, value in config.items()},
            "flash_attention": self.flash_attention,
        }
