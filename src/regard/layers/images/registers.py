"""Learned tokens that stand beside those of an input."""

import keras
from keras import ops

from regard.core.shapes import sizes_of
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class Registers(keras.layers.Layer):
    r"""$[x_1, \ldots, x_T, r_1, \ldots, r_R]$ with learned tokens r (R, D).

    Attention needs places for what belongs to no token. Without any, trained vision
    transformers take over patches that tell little, and their maps show high norms in
    the background; registers give them room. Put the layer after the places are
    encoded, and ``drop`` them at the end:

        x = registers(patches)
        x = registers.drop(encoder(x))

    Inputs (B, T, D), output (B, T + R, D); ``drop`` takes (B, T + R, …) to (B, T, …).
    Hidden tokens come out as zeros; registers are real in the mask of the output.

    Darcet, Oquab, Mairal, Bojanowski 2023, "Vision transformers need registers",
    arXiv:2309.16588.

    Args:
        count: R.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of r.
        **options: of every layer.

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real; an implicit Keras mask is honoured.

    Raises:
        ValueError: where count is not a positive integer, or inputs are no sequence.
    """

    mechanism = "registers"

    def __init__(
        self,
        count=4,
        embeddings_initializer="glorot_uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.count = check_units("count", count)
        self.weight_options = WeightOptions(
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self.supports_masking = True

    def build(self, input_shape):
        check_sequences(inputs=input_shape)
        options = self.weight_options.of("embeddings", "glorot_uniform")
        shape = (self.count, input_shape[-1])
        self.registers = self.add_weight(shape, name="registers", **options)
        self.built = True

    def call(self, inputs, mask=None):
        batch, length, width = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        added = ops.cast(ops.convert_to_tensor(self.registers), inputs.dtype)
        added = ops.broadcast_to(added[None], (batch, self.count, width))
        output = ops.concatenate([hide(inputs, mask), added], axis=1)
        if mask is not None:
            set_keras_mask(output, self.compute_mask(inputs, mask))
        return output

    def drop(self, outputs):
        """What became of the tokens themselves, (B, T + R, …) to (B, T, …)."""
        return outputs[:, : -self.count]

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        mask = ops.cast(previous_mask, "bool")
        real = ops.ones((sizes_of(mask)[0], self.count), dtype="bool")
        return ops.concatenate([mask, real], axis=1)

    def compute_output_shape(self, input_shape):
        batch, length, width = input_shape
        return batch, None if length is None else length + self.count, width

    def compute_output_spec(self, inputs, mask=None):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        config = {**super().get_config(), "count": self.count}
        return {**config, **self.weight_options.config()}
