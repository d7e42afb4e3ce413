"""A learned vector for every place, added to the inputs."""

import keras
from keras import ops

from regard.core.shapes import is_static
from regard.layers.positions.absolute import AbsolutePositions
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class LearnedPositions(AbsolutePositions):
    r"""$x_p + E_p$ with a table E (length, D).

    Inputs and output (B, T, D). Places count real tokens, so padding on either side
    changes nothing; padded places come out as zeros. Where only the call tells how long
    a sequence is, places beyond the table share its last row.

    Gehring et al. 2017, "Convolutional sequence to sequence learning",
    arXiv:1705.03122, section 3.1.

    Args:
        length: rows of the table; no sequence may be longer.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of E.
        **options: of every layer.

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real; an implicit Keras mask is honoured.
        positions: integers (T,) or (B, T), instead of counting.

    Raises:
        ValueError: where length is not a positive integer, or inputs are longer.
    """

    mechanism = "learned_positions"

    def __init__(
        self,
        length,
        embeddings_initializer="glorot_uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.length = check_units("length", length)
        self.weight_options = WeightOptions(
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )

    def build(self, input_shape):
        options = self.weight_options.of("embeddings", "glorot_uniform")
        shape = (self.length, input_shape[-1])
        self.embeddings = self.add_weight(shape, name="embeddings", **options)
        self.built = True

    def check_length(self, length):
        if is_static(length) and length > self.length:
            raise ValueError(
                f"inputs must be no longer than the table, {self.length}. Got a length "
                f"of {length}. Make a layer with a larger length."
            )

    def encodings(self, places, width):
        table = ops.convert_to_tensor(self.embeddings)
        return ops.take(table, ops.clip(places, 0, self.length - 1), axis=0)

    def get_config(self):
        config = {**super().get_config(), "length": self.length}
        return {**config, **self.weight_options.config()}
