"""Many to one: the last state asks all the others."""

import keras
from keras import ops

from regard.core.products import squashed
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.pooling.pooling import Pooling
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class LastStatePooling(Pooling):
    r"""$e_t = h_T^\top W h_t,\quad c = \sum_t a_t h_t,\quad o = \tanh(W_c [c; h_T])$.

    $h_T$ is the last *real* state, whatever padding comes behind (or stands before) it,
    and is among those that are read. ``W`` (D, D), ``W_c`` (2 D, units). Input
    (B, S, D), output (B, units).

    Luong's attention (2015, arXiv:1508.04025, sections 3.1 and 3, equation 5), asked
    once, as the package ``attention`` has it.

    Args:
        units: width of the output.
        kernel_initializer, kernel_regularizer, kernel_constraint: of both weights.
        **options: normalizer, dropout, seed, and those of every layer.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "last_state"

    def __init__(
        self,
        units=128,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, width):
        kernel = self.weight_options.for_kernel
        self.kernel = self.add_weight((width, width), name="kernel", **kernel())
        shape = (2 * width, self.units)
        self.output_kernel = self.add_weight(shape, name="output_kernel", **kernel())

    def judge(self, inputs, mask):
        asked = ops.matmul(last_real(inputs, mask), self.kernel)  # (B, D)
        return ops.matmul(widen(inputs), widen(ops.expand_dims(asked, -1)))

    def finish(self, context, inputs, mask):
        together = [context[:, 0], last_real(inputs, mask)]
        return squashed(ops.concatenate(together, -1), self.output_kernel)

    def output_width(self, width):
        return self.units

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            **self.weight_options.config(),
        }


def last_real(inputs, mask):
    """The last element that is real (B, D), zero where none is."""
    if mask is None:
        return inputs[:, -1]
    places = ops.arange(1, sizes_of(inputs)[1] + 1, dtype="int32")
    real = ops.where(mask, places, ops.zeros_like(places))
    last = ops.max(real, axis=1, keepdims=True, initial=0)
    chosen = ops.expand_dims(ops.logical_and(real == last, last > 0), -1)
    return ops.sum(ops.where(chosen, inputs, ops.zeros_like(inputs)), axis=1)
