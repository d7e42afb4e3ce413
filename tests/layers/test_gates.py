"""Steps of our own are those of Keras' cells, with their gradients."""

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regard.layers.gates import gru_step, is_plain_gru, is_plain_lstm, lstm_step
from tests.conformance.gradients import gradients
from tests.core.strategies import moderate

UNITS, WIDTH, BATCH = 5, 3, 4


class Stepping(keras.layers.Layer):
    """A cell, stepped by one of the two."""

    def __init__(self, step, kind=keras.layers.GRUCell, **options):
        super().__init__()
        self.step = step
        self.cell = kind(UNITS, bias_initializer="normal", **options)
        self.cell.build((None, WIDTH))
        self.cell.built = self.built = True

    def call(self, inputs, state):
        return self.step(self.cell, inputs, state)


def by_keras(cell, inputs, state):
    return cell(inputs, [state])[0]


def both_states(step):
    """A step of an LSTM that begins with the same state twice: (B, 2 U)."""
    return lambda cell, inputs, state: keras.ops.concatenate(
        step(cell, inputs, [state, state]), axis=-1
    )


def lstm_by_keras(cell, inputs, states):
    return cell(inputs, states)[1]


STEPS = {
    "gru": (keras.layers.GRUCell, gru_step, by_keras),
    "lstm": (
        keras.layers.LSTMCell,
        both_states(lstm_step),
        both_states(lstm_by_keras),
    ),
}


@settings(moderate, max_examples=8)
@given(
    st.sampled_from(["tanh", "relu", None]),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.integers(0, 99),
)
@example("tanh", 1.0, 0)
@pytest.mark.parametrize("name", STEPS)
def test_the_step_is_that_of_the_cell(name, activation, size, seed):
    kind, own, of_keras = STEPS[name]
    rng = np.random.default_rng(seed)
    shapes = ((BATCH, WIDTH), (BATCH, UNITS))
    tensors = [(size * rng.normal(size=each)).astype("float32") for each in shapes]
    ours, theirs = (
        Stepping(each, kind, activation=activation) for each in (own, of_keras)
    )
    way = rng.normal(size=ours(*tensors).shape).astype("float32")
    theirs.cell.set_weights(ours.cell.get_weights())
    given = dict(zip(("inputs", "state"), tensors, strict=True))
    near = {"rtol": 1e-5, "atol": 1e-5 * size}
    one, other = (keras.ops.convert_to_numpy(each(*tensors)) for each in (ours, theirs))
    np.testing.assert_allclose(one, other, **near)

    def answer(layer):
        def loss(inputs, state):
            return keras.ops.sum(keras.ops.multiply(layer(inputs, state), way))

        _, for_inputs, for_weights = gradients(layer, loss, given)
        return [*for_inputs.values(), *for_weights.values()]

    for one, other in zip(answer(ours), answer(theirs), strict=True):
        bound = 1e-5 * max(1.0, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=0, atol=bound)


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.1},
        {"recurrent_dropout": 0.1},
        {"reset_after": False},
        {"use_bias": False},
    ],
)
def test_other_cells_keep_their_own_step(options):
    assert is_plain_gru(Stepping(gru_step).cell)
    assert not is_plain_gru(Stepping(gru_step, **options).cell)
    assert not is_plain_gru(keras.layers.LSTMCell(UNITS))
    if "reset_after" not in options:
        plain = Stepping(lstm_step, keras.layers.LSTMCell)
        other = Stepping(lstm_step, keras.layers.LSTMCell, **options)
        assert is_plain_lstm(plain.cell)
        assert not is_plain_lstm(other.cell)


@pytest.mark.parametrize("name", STEPS)
def test_part_of_the_product_may_be_found_before(name):
    kind, _, _ = STEPS[name]
    cell = Stepping(gru_step, kind).cell
    rng = np.random.default_rng(0)
    inputs, state = (
        rng.normal(size=(BATCH, width)).astype("float32") for width in (WIDTH, UNITS)
    )
    found = inputs[:, 2:] @ keras.ops.convert_to_numpy(cell.kernel)[2:]
    inputs, head, state, found = map(
        keras.ops.convert_to_tensor, (inputs, inputs[:, :2], state, found)
    )
    step = both_states(lstm_step) if name == "lstm" else gru_step
    folded = step
    if name == "lstm":
        folded = both_states(lambda *given: lstm_step(*given, found))
        one = folded(cell, head, state)
    else:
        one = folded(cell, head, state, found)
    one, other = map(keras.ops.convert_to_numpy, (one, step(cell, inputs, state)))
    np.testing.assert_allclose(one, other, atol=1e-6)
