"""Multi-head attention, a drop-in for ``keras.layers.MultiHeadAttention``."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe, standard_scale
from regard.core.scopes import Window
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units, fresh


@keras.saving.register_keras_serializable("regard")
class MultiHeadAttention(Attention):
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

    Raises:
        ValueError: for a size that is not a positive integer, or an unsupported option.
    """

    mechanism = "multi_head"
    num_heads_shown = True

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
            dropout=dropout,
            seed=seed,
            activity_regularizer=activity_regularizer,
            **options,
        )
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        value_dim = self.key_dim if value_dim is None else value_dim
        self.value_dim = check_units("value_dim", value_dim)
        self.use_bias = bool(use_bias)
        self.output_size = output_size(output_shape)
        check_axes(attention_axes)
        if flash_attention:
            raise ValueError(
                "flash_attention must be None or False: the engine picks its path "
                f"itself (see regard.plan). Got {flash_attention!r}."
            )
        self.attention_axes = attention_axes
        self.flash_attention = flash_attention
        self.use_gate = bool(use_gate)
        self.sliding_window = sliding_window
        self.own_scope = self.scope  # without the window, which is added when built
        if sliding_window is not None:
            reach = check_units("sliding_window", sliding_window) - 1
            window = Window(reach, reach)
            self.scope = window if self.scope is None else self.scope & window
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        heads, key_dim, value_dim = self.num_heads, self.key_dim, self.value_dim
        self.query_dense = self._heads("query", query_width, key_dim)
        self.key_dense = self._heads("key", key_width, key_dim)
        if self.use_gate:
            self.gate_dense = self._heads("gate", query_width, value_dim, "sigmoid")
        self.value_dense = self._heads("value", value_width, value_dim)
        width = self.output_size or query_width
        self.output_dense = self._dense(
            "attention_output", "bthd,hdo->bto", (None, width), "o"
        )
        self.output_dense.build((None, None, heads, value_dim))

    def _heads(self, name, width, dimension, activation=None):
        """Keras' projection (B, T, D) -> (B, T, H, dimension)."""
        shape = (None, self.num_heads, dimension)
        layer = self._dense(name, "btd,dhk->bthk", shape, "hk", activation)
        layer.build((None, None, width))
        return layer

    def _dense(self, name, equation, shape, bias_axes, activation=None):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        return keras.layers.EinsumDense(
            equation,
            output_shape=shape,
            bias_axes=bias_axes if self.use_bias else None,
            activation=activation,
            name=name,
            dtype=self.dtype_policy,
            **options,
        )

    def project_query(self, query):
        return ops.swapaxes(self.query_dense(query), 1, 2)

    def project_memory(self, key, value):
        keys, values = self.key_dense(key), self.value_dense(value)
        return ops.swapaxes(keys, 1, 2), ops.swapaxes(values, 1, 2)

    def recipe(self):
        return Recipe(_scaled, self.normalizer)

    def merge(self, context, query):
        context = ops.swapaxes(context, 1, 2)  # (B, T, H, Dv)
        if self.use_gate:
            context = context * self.gate_dense(query)
        return self.output_dense(context)

    def head_width(self, query_width):
        return self.key_dim

    def value_head_width(self, value_width):
        return self.value_dim

    def output_width(self, query_width, value_width):
        return self.output_size or query_width

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "scope": self.own_scope
            and keras.saving.serialize_keras_object(self.own_scope),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "output_shape": self.output_size,
            "attention_axes": self.attention_axes,
            "flash_attention": self.flash_attention,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            **self.weight_options.config(),
        }


def _scaled(query, key):
    return scores.scaled_dot(query, key, standard_scale(query.shape[-1]))


def output_size(shape):
    """Keras takes an integer or a tuple of one."""
    if shape is None:
        return None
    if isinstance(shape, (tuple, list)):
        if len(shape) != 1:
            raise ValueError(
                f"output_shape must be a width or a tuple of one width. Got {shape!r}."
            )
        shape = shape[0]
    return check_units("output_shape", shape)


def check_axes(axes):
    """Only the axis of time, 1, is attended over."""
    if axes not in (None, 1, (1,), [1]):
        raise ValueError(
            f"attention_axes must be None or 1, the axis of time. Got {axes!r}. "
            "Reshape inputs with more axes to (batch, length, width) first."
        )
