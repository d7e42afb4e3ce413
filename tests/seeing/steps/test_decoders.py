"""Decoders around any cell are explained, with padding and from any start."""

import keras
import numpy as np
import pytest

import regard
from regard.layers import AdditiveAttention, AttentionDecoder, MultiHeadAttention

CELLS = {
    "simple": lambda: keras.layers.SimpleRNNCell(4),
    "gru": lambda: keras.layers.GRUCell(4, reset_after=False),
    "lstm": lambda: keras.layers.LSTMCell(4, activation="relu"),
    "stacked": lambda: keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(4), keras.layers.GRUCell(4, use_bias=False)]
    ),
}
if keras.backend.backend() != "torch":  # what is recorded is the same
    CELLS = {"stacked": CELLS["stacked"]}
WAYS = {
    "before": {},
    "after": {"query": "new_state"},
    "feeding": {"query": "new_state", "input_feeding": True},
}


def inputs_of(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(2, n, 5)).astype("float32") for n in (3, 6)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("way", WAYS)
def test_every_cell_and_order_agrees_with_the_layer(cell, way):
    keras.utils.set_random_seed(3)
    attention = AdditiveAttention(3, name="looks")
    decoder = AttentionDecoder(attention, CELLS[cell](), **WAYS[way])
    words, memory = inputs_of()
    real = np.array([[True, False, True], [True, True, False]])
    start = [
        np.full((2, width), 0.3, "float32") for width in _widths(decoder, words, memory)
    ]
    trace = decoder.trace(
        words, memory, inputs_mask=real, initial_state=start, value_mask=_hidden()
    )
    for query in range(3):  # the second is padding
        steps = regard.explain(trace, query=query)
        wrong = [(e.name, e.check) for e in steps if e.check and e.check.failed]
        assert not wrong
        wanted = {"output"} if query == 1 else {"scores", "weights", "output"}
        assert wanted <= {each.what for each in steps.checks}
    named = [each.name for each in steps]
    assert named.index("compared") < named.index("together")
    broken = np.array(trace.output)
    broken[0, 2] += 0.1
    assert not regard.explain(_with(trace, output=broken), query=2).passed


def test_a_captured_decoder_is_explained_with_all_its_heads():
    words, memory = keras.Input((None, 5)), keras.Input((None, 5))
    cell = keras.layers.StackedRNNCells(
        [keras.layers.GRUCell(4), keras.layers.LSTMCell(3)]
    )
    decoder = AttentionDecoder(MultiHeadAttention(2, 3), cell, "bottom_state")
    model = keras.Model([words, memory], decoder(words, memory))
    maps = regard.attend_to(model, inputs_of())
    (trace,) = maps[next(iter(maps))]
    steps = regard.explain(trace, query=2, head=1, example=1, language="ru")
    assert steps.passed, steps
    names = [each.name for each in steps]
    assert {"state_before", "projected_query", "projected_key", "joined"} <= set(names)
    rest = regard.explain(_with(trace, inputs={}), query=2)
    assert rest.passed and "state_before" not in {each.name for each in rest}


@keras.saving.register_keras_serializable("tests")
class Leaky(keras.layers.Layer):
    """Two states, and an output that is neither."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.output_size = units, units
        self.state_size = [units, units]

    def build(self, shape):
        self.dense = keras.layers.Dense(self.units, "tanh", name="mix")
        self.dense.build((None, shape[-1] + self.units))
        self.leak = self.add_weight((self.units,), "uniform", name="leak")
        self.built = True

    def call(self, inputs, states):
        read = keras.ops.concatenate([inputs, states[0]], axis=-1)
        fresh = self.dense(read)
        kept = states[1] * keras.ops.sigmoid(self.leak) + fresh
        return keras.ops.sin(kept), [fresh, kept]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


OWN = {
    "alone": lambda: Leaky(4),
    "stacked": lambda: keras.layers.StackedRNNCells(
        [Leaky(4), keras.layers.GRUCell(4, activation="gelu")]
    ),
}


@pytest.mark.parametrize("cell", OWN)
@pytest.mark.parametrize("way", WAYS)
def test_a_cell_of_ones_own_is_made_anew_where_keras_finds_its_class(cell, way):
    decoder = AttentionDecoder(AdditiveAttention(3), OWN[cell](), **WAYS[way])
    words, memory = inputs_of()
    start = [
        np.full((2, width), 0.3, "float32") for width in _widths(decoder, words, memory)
    ]
    real = np.array([[True, False, True], [True, True, False]])
    trace = decoder.trace(words, memory, initial_state=start, inputs_mask=real)
    for query in range(3):
        assert not [e for e in regard.explain(trace, query=query).checks if e.failed]
    name = "asked" if way == "after" else "states"
    broken = np.array(trace.extra[name])
    broken[0, 0, 2, 0] += 1e-3
    broken = _with(trace, extra={**trace.extra, name: broken})
    told = regard.explain(broken, query=2)
    assert name in [each.what for each in told.checks if each.failed]


def test_a_cell_that_keras_does_not_find_is_said_to_be_unknown():
    class Own(keras.layers.Layer):
        state_size = output_size = 4

        def call(self, inputs, states):
            after = inputs[:, :4] + states[0]
            return after, [after]

        def get_initial_state(self, batch_size):
            return keras.ops.zeros((batch_size, 4))

    decoder = AttentionDecoder(AdditiveAttention(3), Own(), query="new_state")
    steps = regard.explain(decoder, *inputs_of(), query=1)
    assert steps.passed
    assert {"state_before", "state_after"}.isdisjoint(each.name for each in steps)
    assert "not registered with Keras" in steps["strange_cell"].sentence
    assert steps[-1].check.what == "output"


def _hidden():
    mask = np.ones((2, 6), bool)
    mask[:, -1] = False
    return mask


def _widths(decoder, words, memory):
    decoder.build(words.shape, memory.shape)
    return decoder.cell_state_widths


def _with(trace, **arrays):
    from dataclasses import replace

    return replace(trace, **arrays)
