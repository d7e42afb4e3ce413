"""What encoder and decoder blocks share: residual sublayers, and their norms."""

import keras
from keras import ops

from regard.layers.attention import Attention
from regard.layers.decoder_parts import as_layer
from regard.layers.keras_internals import traced_spec
from regard.models.transformer.feed_forward import FeedForward


class Block(keras.layers.Layer):
    r"""A row of sublayers, each with a residual and a norm; abstract.

    Pre-norm: $x \leftarrow x + \mathrm{drop}(f(\mathrm{norm}(x)))$. Post-norm:
    $x \leftarrow \mathrm{norm}(x + \mathrm{drop}(f(x)))$.
    """

    def __init__(
        self, attention, feed_forward, norm=None, pre_norm=True, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.attention = check_sublayer("attention", as_layer(attention))
        if isinstance(feed_forward, int) and not isinstance(feed_forward, bool):
            feed_forward = FeedForward(
                feed_forward, name="feed_forward", dtype=self.dtype_policy
            )
        self.feed_forward = check_layer("feed_forward", as_layer(feed_forward))
        norm = keras.layers.LayerNormalization(epsilon=1e-6) if norm is None else norm
        norm = check_layer("norm", as_layer(norm))
        self.norm_kind, self.norm_config = type(norm), norm.get_config()
        self.pre_norm = bool(pre_norm)
        self.dropout = float(dropout)
        self.drop = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)
        self.attention_norm = self.make_norm("attention_norm")
        self.feed_forward_norm = self.make_norm("feed_forward_norm")
        self.supports_masking = True

    def make_norm(self, name):
        """A norm like the one that was given, with weights of its own."""
        own = {"name": name, "dtype": self.dtype_policy}
        return self.norm_kind.from_config({**self.norm_config, **own})

    def build_sublayers(self, shape):
        """Build what every block has; parts of a saved model are built already."""
        width = shape[-1]
        self.attention_norm.build(shape)
        self.feed_forward_norm.build(shape)
        for layer in (self.attention, self.feed_forward):
            if not layer.built:
                layer.build((None, None, width))
        check_width("attention", self.attention, width)

    def residual(self, x, norm, sublayer, training):
        """x and what the sublayer makes of it."""
        read = norm(x) if self.pre_norm else x
        x = ops.add(x, self.drop(sublayer(read), training=training))
        return x if self.pre_norm else norm(x)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_spec(self, inputs, *args, **options):
        return spec_of(self, inputs, *args, **options)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "attention": serialize(self.attention),
            "feed_forward": serialize(self.feed_forward),
            "norm": serialize(self.norm_kind.from_config(self.norm_config)),
            "pre_norm": self.pre_norm,
            "dropout": self.dropout,
        }


def spec_of(layer, inputs, *args, **options):
    """What a call gives: the inputs' like, then weights and a state where asked."""
    output = keras.KerasTensor(inputs.shape, dtype=layer.compute_dtype)
    if not options.get("return_attention_scores") and options.get("state") is None:
        return output
    return (output, *traced_spec(layer, inputs, *args, **options)[1:])


def check_layer(name, value):
    """A Keras layer."""
    if isinstance(value, keras.layers.Layer):
        return value
    raise ValueError(f"{name} must be a layer. Got {value!r}.")


def check_sublayer(name, value):
    """An attention layer of ours."""
    if isinstance(value, Attention):
        return value
    raise ValueError(
        f"{name} must be an attention over a memory, such as "
        f"regard.layers.MultiHeadAttention(8, 64). Got {value!r}."
    )


def check_width(name, layer, width, memory_width=None):
    """A residual needs what comes out to be as wide as what went in."""
    memory_width = width if memory_width is None else memory_width
    found = layer.output_width(width, memory_width)
    if found != width:
        raise ValueError(
            f"{name} must give the width it reads, {width}, because both are added. "
            f"Got {found} from {layer.name}; with heads set output_shape={width}."
        )
