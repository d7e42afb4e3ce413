"""Multi-head attention, a drop-in for ``keras.layers.MultiHeadAttention``."""

import inspect
from functools import wraps

import keras

from regard.layers.heads.projected import ProjectedHeads, axes_of, check_flash
from regard.layers.heads.several_axes import Folding, checked_axes, folded_call


@keras.saving.register_keras_serializable("regard")
class MultiHeadAttention(ProjectedHeads):
    r"""$\mathrm{concat}_h\big(\mathrm{attend}(xW^Q_h, yW^K_h, zW^V_h)\big) W^O$.

    Scores are $q^\top k / \sqrt{\text{key\_dim}}$ in every head. The constructor, the
    order of the weights and the sublayers ``query key value (gate) attention_output``
    are those of Keras' layer. Output (B, T, Dq) or (B, T, output_shape); weights
    (B, H, T, S). With more axes the output has those of the query, and weights are
    (B, others, H, T..., S...), as in Keras.

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.2.2.
    Our ``key_dim`` is the paper's $d_k$ (per head), ``value_dim`` its $d_v$.

    Differs from Keras' layer where that one is wrong: all masks are joined and nothing
    is taken off the caller's tensors, asking for weights changes nothing, a float mask
    raises, and with T < S the causal mask is aligned to the last query.

    Args:
        num_heads, key_dim: heads, and width of queries and keys per head.
        value_dim: width of values per head, by default key_dim.
        use_bias: of the four projections.
        output_shape: width of the output, by default that of the query; a tuple of
            several gives as many axes.
        attention_axes: axes of inputs (B, ..., Dq) to attend over, by default all
            between batch and features; the others are as many batches. Masks then have
            the axes of their input, or only those attended over.
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
    shares_memory = True
    output_axes = 8

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
        check_flash(flash_attention)
        self.attention_axes = checked_axes(attention_axes)
        self.flash_attention = flash_attention

    def build(self, query_shape, value_shape=None, key_shape=None):
        shapes = [query_shape, value_shape, key_shape]
        ranks = {len(shape) for shape in shapes if shape is not None}
        if len(ranks) > 1 or min(ranks) < 3:
            raise ValueError(
                "query, value and key must have shape (batch, ..., width), all with as "
                f"many axes. Got {', '.join(map(str, shapes))}."
            )
        folding = Folding.of(self.attention_axes, len(query_shape))
        if len(folding.attended) > 1 and (self.scope or self.position):
            raise ValueError(
                "scope, position and sliding_window need one axis of places. Got "
                f"{self.scope or self.position!r} for the axes {folding.attended}."
            )
        flat = (each and (each[0], None, each[-1]) for each in shapes)
        super().build(*flat)

    @wraps(ProjectedHeads.call)
    def call(self, query, *args, **kwargs):
        folding = Folding.of(self.attention_axes, len(query.shape))
        if folding.plain:
            return super().call(query, *args, **kwargs)
        arguments = _SIGNATURE.bind(self, query, *args, **kwargs).arguments
        return folded_call(super().call, folding, arguments)

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        width = self.output_width(query_shape[-1], None)
        return (*query_shape[:-1], *axes_of(width))

    def compute_output_spec(self, query, value=None, key=None, **kwargs):
        folding = Folding.of(self.attention_axes, len(query.shape))
        if folding.plain:
            return super().compute_output_spec(query, value, key, **kwargs)
        shape = self.compute_output_shape(query.shape)
        output = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not kwargs.get("return_attention_scores"):
            return output
        value = query if value is None else value
        pairs = (each.shape[a] for each in (query, value) for a in folding.attended)
        lead = (query.shape[a] for a in (0, *folding.others))
        shape = (*lead, self.num_heads, *pairs)
        return output, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "attention_axes": self.attention_axes,
            "flash_attention": self.flash_attention,
        }


_SIGNATURE = inspect.signature(ProjectedHeads.call)
