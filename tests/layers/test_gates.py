"""A GRU's step of our own is that of Keras' cell, with its gradients."""

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regard.layers.gates import gru_step, is_plain_gru
from tests.conformance.gradients import gradients
from tests.core.strategies import moderate

UNITS, WIDTH, BATCH = 5, 3, 4


class Stepping(keras.layers.Layer):
    """A cell, stepped by one of the two."""

    def __init__(self, step, **options):
        super().__init__()
        self.step = step
        self.cell = keras.layers.GRUCell(UNITS, bias_initializer="normal", **options)
        self.cell.build((None, WIDTH))
        self.cell.built = self.built = True

    def call(self, inputs, state):
        return self.step(self.cell, inputs, state)


def by_keras(cell, inputs, state):
    return cell(inputs, [state])[0]


@settings(moderate, max_examples=8)
@given(
    st.sampled_from(["tanh", "relu", None]),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.integers(0, 99),
)
@example("tanh", 1.0, 0)
def test_the_step_is_that_of_the_cell(activation, size, seed):
    rng = np.random.default_rng(seed)
    shapes = ((BATCH, WIDTH), (BATCH, UNITS))
    tensors = [(size * rng.normal(size=each)).astype("float32") for each in shapes]
    way = rng.normal(size=(BATCH, UNITS)).astype("float32")
    ours, theirs = (
        Stepping(each, activation=activation) for each in (gru_step, by_keras)
    )
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
