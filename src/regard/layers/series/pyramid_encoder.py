"""The listener of listen, attend and spell: every layer halves the frames."""

import keras
from keras import ops

from regard.core.shapes import sizes_of
from regard.layers.exporting import check_loop
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class PyramidEncoder(keras.layers.Layer):
    r"""$h_i^l = \mathrm{BiLSTM}(h_{i-1}^l, [h_{2i}^{l-1}; h_{2i+1}^{l-1}])$.

    Each of ``levels`` layers reads two neighbouring frames at a time, so S frames
    become S / 2^levels states, which an attention can search: speech has hundreds of
    frames a word. Input (B, S, D), output (B, ceil(S / 2^levels), 2 units), together
    with a mask where the input has one. A frame that is missing at the end is zero; a
    state is real where any of its frames is.

    Chan et al. 2015, "Listen, attend and spell", arXiv:1508.01211.

    Args:
        units: of each direction.
        levels: 3 in the paper, which is 8 times fewer.

    Call arguments:
        inputs: (B, S, D).
        mask: (B, S), True = real.

    Raises:
        ValueError: where a size is not a positive integer.
    """

    mechanism = "pyramid"

    def __init__(self, units, levels=3, **options):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.levels = check_units("levels", levels)
        self.readers = [
            keras.layers.Bidirectional(
                keras.layers.LSTM(
                    self.units,
                    return_sequences=True,
                    zero_output_for_mask=True,
                    recurrent_initializer="glorot_uniform",
                    name="lstm",
                    dtype=self.dtype_policy,
                ),
                name=f"level_{level}",
                dtype=self.dtype_policy,
            )
            for level in range(self.levels)
        ]
        self.supports_masking = True

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        width = inputs_shape[-1]
        for reader in self.readers:
            reader.build((inputs_shape[0], None, 2 * width))
            width = 2 * self.units
        self.built = True

    def call(self, inputs, mask=None, training=None):
        batch, length, _ = sizes_of(inputs)
        check_loop(self, length)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        states = hide(inputs, mask)
        for reader in self.readers:
            states, mask = halved(states, mask)
            states = reader(states, mask=mask, training=training)
        if mask is not None:
            set_keras_mask(states, mask)
        return states

    def compute_mask(self, inputs, previous_mask=None):
        mask = previous_mask
        for _ in range(self.levels if mask is not None else 0):
            mask = halved_mask(mask)
        return mask

    def compute_output_shape(self, inputs_shape):
        length = inputs_shape[1]
        if length is not None:
            length = -(-length // 2**self.levels)
        return (inputs_shape[0], length, 2 * self.units)

    def compute_output_spec(self, inputs, mask=None, training=None):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "levels": self.levels}


def halved(states, mask):
    """Two neighbours side by side: (B, S, D) -> (B, ceil(S / 2), 2 D)."""
    batch, length, width = sizes_of(states)
    states = ops.pad(states, [(0, 0), (0, length % 2), (0, 0)])
    half = (length + 1) // 2
    states = ops.reshape(states, (batch, half, 2 * width))
    return states, None if mask is None else halved_mask(mask)


def halved_mask(mask):
    """True where any of the two is real."""
    batch, length = sizes_of(mask)
    mask = ops.pad(ops.cast(mask, "int32"), [(0, 0), (0, length % 2)])
    return ops.any(ops.reshape(mask, (batch, (length + 1) // 2, 2)) > 0, axis=-1)
