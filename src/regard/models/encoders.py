"""Recurrent encoders: a sequence in, one annotation for each of its places out."""

import keras
from keras import ops

CELLS = ("gru", "lstm")


@keras.saving.register_keras_serializable("regard")
class BidirectionalEncoder(keras.layers.Layer):
    r"""Reads a sequence in both directions.

    $h_j = [\overrightarrow{h}_j; \overleftarrow{h}_j]$, (B, S, 2 units), and a summary
    $[\overrightarrow{h}_S; \overleftarrow{h}_1]$, (B, 2 units): the last states of the
    two directions, at the last and the first real place. Further layers add to what is
    below them.

    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, section 3.2.

    Args:
        units: of each direction.
        cell: "gru" or "lstm".
        depth: number of layers.
        dropout: of each layer's output, while training.
        seed: of the dropout.

    Raises:
        ValueError: for an unknown cell.
    """

    def __init__(self, units, cell="gru", depth=1, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {CELLS}. Got {cell!r}.")
        self.units, self.cell, self.depth = units, cell, depth
        self.dropout, self.seed = dropout, seed
        kind = keras.layers.GRU if cell == "gru" else keras.layers.LSTM
        self.levels = [
            keras.layers.Bidirectional(
                kind(units, return_sequences=True, return_state=True)
            )
            for _ in range(depth)
        ]
        self.drop = keras.layers.Dropout(dropout, seed=seed)
        self.supports_masking = True

    @property
    def output_width(self) -> int:
        """Of the annotations and of the summary."""
        return 2 * self.units

    def build(self, inputs_shape):
        width = inputs_shape[-1]
        for level in self.levels:
            level.build((None, None, width))
            width = self.output_width
        self.built = True

    def call(self, inputs, mask=None, training=None):
        """(B, S, E) and a mask (B, S), True = real: annotations and summary."""
        annotations = None
        for level in self.levels:
            read = inputs if annotations is None else annotations
            found, *states = level(read, mask=mask, training=training)
            found = self.drop(found, training=training)
            annotations = found if annotations is None else annotations + found
        # an LSTM gives h and c for each direction, a GRU only h
        ends = (states[0], states[len(states) // 2])
        return annotations, ops.concatenate(ends, axis=-1)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask, None

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "depth": self.depth,
            "dropout": self.dropout,
            "seed": self.seed,
        }
