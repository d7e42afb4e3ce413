"""What the old pooling layers share: a sequence becomes one vector."""

from keras import ops

from regard.compat.reader import Reader, given
from regard.core.attend import Recipe
from regard.layers.inputs import hide
from regard.layers.weights import WeightOptions

__all__ = ["Pooler"]


class Pooler(Reader):
    """(B, S, D) -> (B, D), weighted by one score per step; abstract.

    Weights may be returned as well. The output has no time left, hence no mask.
    """

    def __init__(self, return_attention=False, faithful=False, **options):
        named = {name: options.pop(name) for name in [*options] if is_option(name)}
        super().__init__(faithful, **options)
        self.weight_options = WeightOptions(**named)
        self.return_attention = bool(return_attention)

    def add(self, name, shape, initializer="glorot_uniform"):
        """A weight with the regularizer and the constraint given for its name."""
        options = self.weight_options.options
        weight = self.add_weight(
            shape,
            name=name,
            initializer=initializer,
            regularizer=options.get(f"{name}_regularizer"),
            constraint=options.get(f"{name}_constraint"),
        )
        setattr(self, name, weight)

    def visible(self, inputs, mask):
        """The mask as booleans, and the inputs without what it hides."""
        keep = self.keep(mask, inputs)
        # The originals multiply by the mask, which lets a hidden NaN through.
        return keep, inputs if self.faithful else hide(inputs, keep)

    def pool(self, inputs, logits, normalizer, keep, bias=None):
        """Logits (B, S) -> contexts (B, D), weights (B, S)."""
        keys = logits[:, None, :, None]
        context, weights = self.read(
            ops.ones_like(keys[:, :, :1]),  # the same query for everyone
            (keys, inputs[:, None]),
            Recipe(given, normalizer),
            keep,
            bias=bias,
        )
        return context[:, 0, 0], weights[:, 0, 0]

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], input_shape[-1])
        return (shape, tuple(input_shape[:2])) if self.return_attention else shape

    def get_config(self):
        return {
            **super().get_config(),
            "return_attention": self.return_attention,
            **self.weight_options.config(),
        }


def is_option(name):
    """True for the options of one weight, such as W_regularizer."""
    return name[:2] in ("W_", "u_", "b_") and name[2:] in ("regularizer", "constraint")
