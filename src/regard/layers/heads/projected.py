"""What all layers with heads share: projections in, a projection out, gate and norm."""

from functools import partial

import keras
from keras import ops

from regard.core import norms, scores
from regard.core.attend import Recipe, standard_scale
from regard.core.scopes import Window
from regard.layers.attention import Attention
from regard.layers.einsum import einsum_dense
from regard.layers.weights import WeightOptions, check_units

__all__ = ["ProjectedHeads", "check_flash", "output_size"]


class ProjectedHeads(Attention):
    r"""$y = \mathrm{concat}_h(c_h) W^O$ for contexts $c_h$ of heads; abstract.

    The sublayers ``query key (gate) value attention_output`` are those of Keras' layers
    with heads, in their order.

    Args:
        num_heads, key_dim: heads, and width of queries and keys per head.
        value_dim: width of values per head, by default key_dim.
        use_bias: of the projections.
        output_shape: width of the output, by default that of the query.
        use_gate: multiply each head's context by sigmoid(query W + b).
        sliding_window: ``w`` as in Keras, which is ``scope=Window(w - 1, w - 1)``.
        scale: multiplies the products, by default 1/sqrt(key_dim) or what the norm
            says.
        query_key_norm: a norm of ``regard.norms`` for queries and keys of every head,
            or its name, or None.
        num_key_value_heads: how many heads keys and values have, by default as many as
            queries; a divisor of num_heads.
        head_order: which of them head h reads: "repeat", h // (H/G) (Llama, Keras,
            torch), or "tile", h mod G (x-transformers); that one copies keys H/G times.
        kernel_/bias_ initializer, regularizer, constraint: of the projections;
            activity_regularizer: of the output.

    Raises:
        ValueError: for a size that is not a positive integer, heads that do not divide,
            an unknown norm or order.
    """

    num_heads_shown = True
    output_axes = 1  # how many axes of features an output may have

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        use_bias=True,
        output_shape=None,
        **options,
    ):
        more = {name: options.pop(name, usual) for name, usual in _MORE.items()}
        weights = {name: options.pop(name, usual) for name, usual in _WEIGHTS.items()}
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        value_dim = self.key_dim if value_dim is None else value_dim
        self.value_dim = check_units("value_dim", value_dim)
        self.use_bias = bool(use_bias)
        self.output_size = output_size(output_shape, self.output_axes)
        self.use_gate = bool(more["use_gate"])
        self.scale = None if more["scale"] is None else float(more["scale"])
        self.query_key_norm = norms.get(more["query_key_norm"])
        self.weight_options = WeightOptions(**weights)
        self._set_groups(more["num_key_value_heads"], more["head_order"])
        self._set_window(more["sliding_window"])

    def _set_groups(self, groups, order):
        groups = self.num_heads if groups is None else groups
        self.num_key_value_heads = check_units("num_key_value_heads", groups)
        if self.num_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_key_value_heads must divide the {self.num_heads} heads of "
                f"queries, so that groups are equal. Got {groups}."
            )
        if order not in _ORDERS:
            raise ValueError(f"head_order must be one of {_ORDERS}. Got {order!r}.")
        self.head_order = order

    def _set_window(self, width):
        self.sliding_window = width
        self.own_scope = self.scope  # without the window, which is not saved with it
        if width is not None:
            reach = check_units("sliding_window", width) - 1
            window = Window(reach, reach)
            self.scope = window if self.scope is None else self.scope & window

    @property
    def query_heads(self):
        """How many heads queries are projected to."""
        return self.num_heads * self.maps_per_head

    @property
    def key_heads(self):
        """How many heads keys are projected to."""
        return self.num_key_value_heads * self.maps_per_head

    def add_weights(self, query_width, key_width, value_width):
        queries, key_dim, value_dim = self.query_heads, self.key_dim, self.value_dim
        self.query_dense = self.heads_of("query", query_width, queries, key_dim)
        self.key_dense = self.heads_of("key", key_width, self.key_heads, key_dim)
        if self.use_gate:
            self.gate_dense = self.heads_of(
                "gate", query_width, self.num_heads, value_dim, "sigmoid"
            )
        self.value_dense = self.heads_of(
            "value", value_width, self.num_key_value_heads, value_dim
        )
        self.output_dense = self.joined("attention_output", query_width)
        self.norm_weights = self._build_norms()

    def _build_norms(self):
        if self.query_key_norm is None:
            return {}
        heads = {"query": self.query_heads, "key": self.key_heads}
        return {
            name: self.query_key_norm.build(self, count, self.key_dim, name)
            for name, count in heads.items()
        }

    def heads_of(self, name, width, heads, dimension, activation=None):
        """Keras' projection (B, T, D) -> (B, T, heads, dimension)."""
        shape = (None, heads, dimension)
        layer = self._dense(name, "btd,dhk->bthk", shape, "hk", activation)
        layer.build((None, None, width))
        return layer

    def joined(self, name, query_width):
        """Keras' projection (B, T, H, value_dim) -> (B, T, Dout)."""
        axes = axes_of(self.output_size or query_width)
        letters = "opqrsuvw"[: len(axes)]
        equation = f"bthd,hd{letters}->bt{letters}"
        layer = self._dense(name, equation, (None, *axes), letters)
        layer.build((None, None, self.num_heads, self.value_dim))
        return layer

    def _dense(self, name, equation, shape, bias_axes, activation=None):
        letters = bias_axes if self.use_bias else None
        return einsum_dense(self, name, equation, shape, letters, activation)

    def project_query(self, query):
        return self._normed("query", ops.swapaxes(self.query_dense(query), 1, 2))

    def project_memory(self, key, value):
        keys, values = self.key_dense(key), self.value_dense(value)
        keys = self._normed("key", ops.swapaxes(keys, 1, 2))
        return self.ordered(keys), self.ordered(ops.swapaxes(values, 1, 2))

    def ordered(self, memory):
        """Keys or values (B, G, S, D), copied where heads share them crosswise."""
        if self.head_order == "repeat":
            return memory
        copies = (1, self.num_heads // self.num_key_value_heads, 1, 1)
        return ops.tile(memory, copies)

    def _normed(self, name, vectors):
        if self.query_key_norm is None:
            return vectors
        weights = map(ops.convert_to_tensor, self.norm_weights[name])
        return self.query_key_norm(vectors, *weights)

    def recipe(self):
        score = partial(scores.scaled_dot, scale=self.used_scale())
        return Recipe(score, self.normalizer)

    def used_scale(self):
        """What products of queries and keys are multiplied by."""
        if self.scale is not None:
            return self.scale
        if self.query_key_norm is not None:
            return self.query_key_norm.scale(self.key_dim)
        return standard_scale(self.key_dim)

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
        saved = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "scope": self.own_scope and saved(self.own_scope),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "output_shape": self.output_size,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "scale": self.scale,
            "num_key_value_heads": self.num_key_value_heads,
            "head_order": self.head_order,
            "query_key_norm": self.query_key_norm and saved(self.query_key_norm),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            **self.weight_options.config(),
        }


_MORE = {
    "use_gate": False,
    "sliding_window": None,
    "scale": None,
    "query_key_norm": None,
    "num_key_value_heads": None,
    "head_order": "repeat",
}
_ORDERS = ("repeat", "tile")
_WEIGHTS = {
    "kernel_initializer": "glorot_uniform",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}


def output_size(shape, most=1):
    """Keras' integer or tuple: a width, or several where an output has as many axes."""
    if shape is None:
        return None
    sizes = [check_units("output_shape", size) for size in axes_of(shape)]
    if not 1 <= len(sizes) <= most:
        raise ValueError(
            f"output_shape must be a width or a tuple of at most {most} of them here. "
            f"Got {shape!r}."
        )
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def axes_of(size):
    """A width or a tuple of them as a tuple."""
    return tuple(size) if isinstance(size, (tuple, list)) else (size,)


def check_flash(flash):
    """Keras' switch, which may be off or unset here."""
    if flash:
        raise ValueError(
            "flash_attention must be None or False: the engine picks its path "
            f"itself (see regard.plan). Got {flash!r}."
        )
