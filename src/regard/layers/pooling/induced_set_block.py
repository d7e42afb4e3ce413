"""Attention within a large set, through a few learned points."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import checked, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.layers.pooling.set_block import SetBlock
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units, fresh


@keras.saving.register_keras_serializable("regard")
class InducedSetBlock(Adaptable, Traceable):
    r"""$H = \mathrm{block}_1(I, X),\quad O = \mathrm{block}_2(X, H)$.

    ``num_points`` learned points ``I`` (M, units) read the set, and every element reads
    what they found: S·M instead of S·S pairs. Input (B, S, D), output (B, S, units).
    The weights (B, H, S, S) are the product of both, a distribution over the set. The
    blocks are ``SetBlock``.

    Lee et al. 2019, "Set Transformer", arXiv:1810.00825, section 3.1, equations 9, 10.

    Args:
        num_heads, units: of both blocks.
        num_points: M.
        point_initializer: of I; the points must differ, or they stay the same.
        **options: of ``SetBlock``, but no scope and no position, as a set has no order.

    Raises:
        ValueError: where a size is not a positive integer, or units no multiple.
    """

    mechanism = "induced_set_block"

    def __init__(
        self,
        num_heads,
        units,
        num_points,
        point_initializer="glorot_uniform",
        **options,
    ):
        names = ("name", "trainable", "dtype")
        own = {name: options.pop(name) for name in names if name in options}
        super().__init__(**own)
        for name in ("scope", "position"):
            if options.pop(name, None) is not None:
                raise ValueError(f"{name} must be None: a set has no order.")
        self.num_points = check_units("num_points", num_points)
        self.point_initializer = keras.initializers.get(point_initializer)
        self.blocks = [
            SetBlock(num_heads, units, name=name, dtype=self.dtype_policy, **options)
            for name in ("gather", "answer")
        ]
        self.supports_masking = True

    def build(self, inputs_shape):
        gather, answer = self.blocks
        shape = (self.num_points, gather.units)
        self.points = self.add_weight(
            shape, name="points", initializer=fresh(self.point_initializer)
        )
        gather.build((None, *shape), inputs_shape)
        answer.build(inputs_shape, (None, *shape))
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        points = ops.expand_dims(ops.convert_to_tensor(self.points), 0)
        points = ops.broadcast_to(points, (batch, *points.shape[1:]))
        listeners = self.recorders()
        asked = {"training": training, "return_attention_scores": True}
        found, gathered = self.blocks[0](points, inputs, value_mask=mask, **asked)
        output, answered = self.blocks[1](inputs, found, query_mask=mask, **asked)
        if mask is not None:
            set_keras_mask(output, mask)
        weights = ops.matmul(widen(answered), widen(gathered))  # (B, H, S, S)
        for listener in listeners:
            extra = {"gathered": gathered, "answered": answered, "found": found}
            parts = {}
            if mask is not None:
                parts = {
                    "padding": mask[:, None, None],
                    "query": mask[:, None, :, None],
                }
            listener.receive(self, {"weights": weights, "extra": extra, "masks": parts})
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def reports_for(self):
        """The attentions inside are this layer's own."""
        return tuple(self.blocks)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.blocks[0].units)

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        output = self.compute_output_shape(inputs.shape)
        batch, length, _ = inputs.shape
        weights = (batch, self.blocks[0].num_heads, length, length)
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        own = super().get_config()
        left_out = (*own, "scope", "position")
        inner = self.blocks[0].get_config()
        return {
            **{name: each for name, each in inner.items() if name not in left_out},
            **own,
            "num_points": self.num_points,
            "point_initializer": keras.initializers.serialize(self.point_initializer),
        }
