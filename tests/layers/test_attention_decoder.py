"""The recurrent decoder around any attention and any cell."""

import keras
import numpy as np
import pytest
from keras import layers as keras_layers
from keras import ops

from regard.layers import (
    AdditiveAttention,
    AttentionDecoder,
    GeneralAttention,
    MultiHeadAttention,
)


@keras.saving.register_keras_serializable("regard_tests")
class MixingCell(keras.layers.Layer):
    """A user's own cell: half the old state, half of what it reads."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, inputs_shape):
        self.kernel = self.add_weight((inputs_shape[-1], self.units), name="kernel")
        self.built = True

    def call(self, inputs, states):
        state = 0.5 * states[0] + 0.5 * ops.tanh(ops.matmul(inputs, self.kernel))
        return state, [state]

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, self.units))]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


CELLS = {
    "gru": lambda: keras_layers.GRUCell(8),
    "lstm": lambda: keras_layers.LSTMCell(8),
    "stacked": lambda: keras_layers.StackedRNNCells(
        [keras_layers.LSTMCell(5), keras_layers.GRUCell(8)]
    ),
    "own": lambda: MixingCell(8),
}
WAYS = {
    "bahdanau": {"query": "previous_state"},
    "luong": {"query": "new_state"},
    "feeding": {"query": "new_state", "input_feeding": True},
}


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def batch(seed=0):
    """Inputs (3, 5, 6), values (3, 7, 4) and a mask of 7, 4 and 1 real places."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(3, 5, 6)).astype("float32")
    value = random.normal(size=(3, 7, 4)).astype("float32")
    return inputs, value, np.arange(7) < np.array([[7], [4], [1]])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("way", WAYS)
def test_the_call_is_the_step_repeated(cell, way):
    decoder = AttentionDecoder(AdditiveAttention(9), CELLS[cell](), **WAYS[way])
    inputs, value, mask = batch()
    outputs, weights, last = decoder(
        inputs,
        value,
        value_mask=mask,
        return_attention_scores=True,
        return_state=True,
    )
    assert outputs.shape == (3, 5, 12 if way == "bahdanau" else 8)
    memory = decoder.prepare(value, value_mask=mask)
    state = decoder.initial_state(memory)
    for at in range(5):
        output, looked, state = decoder.step(inputs[:, at], memory, state)
        np.testing.assert_allclose(array(output), array(outputs)[:, at], atol=1e-5)
        np.testing.assert_allclose(
            array(looked)[:, 0], array(weights)[:, at], atol=1e-6
        )
    for found, expected in zip(
        keras.tree.flatten(last), keras.tree.flatten(state), strict=True
    ):
        np.testing.assert_allclose(array(found), array(expected), atol=1e-5)


def test_luong_without_feeding_attends_at_once_and_gets_what_the_loop_gets():
    inputs, value, mask = batch()
    decoder = AttentionDecoder(MultiHeadAttention(2, 3), CELLS["lstm"](), "new_state")
    at_once = decoder(inputs, value, value_mask=mask, return_attention_scores=True)
    decoder.attends_after_the_loop = lambda state: False
    in_loop = decoder(inputs, value, value_mask=mask, return_attention_scores=True)
    for first, second in zip(at_once, in_loop, strict=True):
        np.testing.assert_allclose(array(first), array(second), atol=1e-5)
    assert at_once[1].shape == (3, 2, 5, 7)


@pytest.mark.parametrize("way", WAYS)
def test_asking_for_more_changes_nothing(way):
    inputs, value, mask = batch()
    decoder = AttentionDecoder(GeneralAttention(), CELLS["gru"](), **WAYS[way])
    plain = decoder(inputs, value, value_mask=mask)
    more, _, _ = decoder(
        inputs, value, value_mask=mask, return_attention_scores=True, return_state=True
    )
    np.testing.assert_array_equal(array(plain), array(more))


@pytest.mark.parametrize("way", WAYS)
def test_a_masked_input_leaves_the_state_and_gives_nothing(way):
    decoder = AttentionDecoder(AdditiveAttention(9), CELLS["lstm"](), **WAYS[way])
    inputs, value, _ = batch()
    decoder(inputs, value)
    masking = keras_layers.Masking()
    padded = np.concatenate([inputs, np.zeros((3, 2, 6), "float32")], axis=1)
    short = decoder(inputs, value, return_attention_scores=True, return_state=True)
    long = decoder(
        masking(padded), value, return_attention_scores=True, return_state=True
    )
    np.testing.assert_allclose(array(long[0])[:, :5], array(short[0]), atol=1e-5)
    assert not array(long[0])[:, 5:].any()
    assert not array(long[1])[:, 5:].any()
    for found, expected in zip(
        keras.tree.flatten(long[2]), keras.tree.flatten(short[2]), strict=True
    ):
        np.testing.assert_allclose(array(found), array(expected), atol=1e-5)


def test_the_first_state_is_an_argument():
    decoder = AttentionDecoder(AdditiveAttention(9), CELLS["stacked"]())
    inputs, value, _ = batch()
    states = [np.full((3, width), 0.3, "float32") for width in (5, 5, 8)]
    zeros = decoder(inputs, value)
    given = decoder(inputs, value, initial_state=states)
    assert np.abs(array(zeros) - array(given)).max() > 1e-3
    with pytest.raises(ValueError, match=r"initial_state must hold.*\[5, 5, 8\]"):
        decoder(inputs, value, initial_state=states[1:])


def test_dropout_of_the_cell_acts_in_training_only():
    cell = keras_layers.StackedRNNCells(
        [keras_layers.GRUCell(8, dropout=0.5), keras_layers.GRUCell(8, dropout=0.5)]
    )
    decoder = AttentionDecoder(AdditiveAttention(9), cell)
    inputs, value, _ = batch()
    calm = array(decoder(inputs, value))
    first = array(decoder(inputs, value, training=True))
    second = array(decoder(inputs, value, training=True))
    np.testing.assert_array_equal(calm, array(decoder(inputs, value)))
    assert np.abs(calm - first).max() > 1e-3 < np.abs(first - second).max()


@pytest.mark.parametrize("cell", CELLS)
def test_saving_keeps_everything(cell, tmp_path):
    inputs = keras.Input((None, 6))
    value = keras.Input((None, 4))
    decoder = AttentionDecoder(AdditiveAttention(9), CELLS[cell](), **WAYS["feeding"])
    model = keras.Model([inputs, value], decoder(inputs, value))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    arrays = batch()[:2]
    np.testing.assert_array_equal(array(loaded(arrays)), array(model(arrays)))


def test_wrong_parts_are_named():
    cell = CELLS["gru"]()
    with pytest.raises(ValueError, match=r"query must be one of.*Got 'old'"):
        AttentionDecoder(AdditiveAttention(3), cell, "old")
    with pytest.raises(ValueError, match="input_feeding must be False"):
        AttentionDecoder(AdditiveAttention(3), cell, input_feeding=True)
    with pytest.raises(ValueError, match=r"attention must be a layer with prepare"):
        AttentionDecoder(keras_layers.Attention(), cell)
    with pytest.raises(ValueError, match="dropout=0 inside a decoder"):
        AttentionDecoder(AdditiveAttention(3, dropout=0.1), cell)
    with pytest.raises(ValueError, match="cell must be a Keras cell"):
        AttentionDecoder(AdditiveAttention(3), keras_layers.Dense(4))
