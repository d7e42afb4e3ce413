"""Loops that JAX compiles once: the numbers stay those of the call at hand."""

import gc
import weakref

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard import layers
from regard.changing import Change, changing
from tests.invariants.tools import numpy, random

X, MEMORY = random(1, 2, 3, 4), random(2, 2, 5, 6)
on_jax = pytest.mark.backend("jax")  # elsewhere loops are not compiled


class Counting(keras.layers.SimpleRNNCell):
    """A cell that knows how often its Python ran."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.runs = 0

    def call(self, *args, **options):
        self.runs += 1
        return super().call(*args, **options)


def decoder(query="previous_state", cell=Counting, dtype=None, **options):
    attention = layers.AdditiveAttention(4, dtype=dtype)
    return layers.AttentionDecoder(
        attention, cell(3, dtype=dtype, **options), query, dtype=dtype
    )


@on_jax
@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_the_second_call_runs_what_the_first_compiled(query):
    layer = decoder(query)
    first, runs = numpy(layer(X, MEMORY)), layer.cell.runs
    assert_array_equal(numpy(layer(X, MEMORY)), first)
    assert layer.cell.runs == runs
    keep = np.array([[True] * 3, [True, False, True]])
    masked = numpy(layer(X, MEMORY, inputs_mask=keep))  # another program
    assert layer.cell.runs > runs and np.abs(masked - first).max() > 1e-3
    assert_array_equal(numpy(layer(X, MEMORY)), first)


@on_jax
def test_programs_go_with_their_layer():
    layer = decoder()
    layer(X, MEMORY)
    gone = weakref.ref(layer)
    del layer
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_new_weights_and_inputs_count(query, dtype):
    first, second = decoder(query, dtype=dtype), decoder(query, dtype=dtype)
    before = numpy(first(X, MEMORY))
    second(2 * X, MEMORY)
    second.set_weights(first.get_weights())
    found = second(X, MEMORY)
    assert keras.backend.standardize_dtype(found.dtype) == first.compute_dtype
    assert_array_equal(numpy(found), before)
    second.set_weights([2 * each for each in first.get_weights()])
    assert np.abs(numpy(second(X, MEMORY)) - before).max() > 1e-2


def test_dropout_of_the_cell_is_drawn_anew():
    layer = decoder(cell=keras.layers.GRUCell, dropout=0.5)
    plain = numpy(layer(X, MEMORY))
    drawn = [numpy(layer(X, MEMORY, training=True)) for _ in range(4)]
    assert len({each.tobytes() for each in [plain, *drawn]}) > 2
    assert_array_equal(numpy(layer(X, MEMORY)), plain)


def test_who_listens_or_changes_weights_is_heard_after_other_calls():
    layer = decoder()
    plain = numpy(layer(X, MEMORY))
    trace = layer.trace(X, MEMORY)
    assert trace.scores.shape == (2, 1, 3, 5)
    assert_allclose(trace.output, plain, rtol=1e-5, atol=1e-6)
    shown = np.arange(5) < 2
    with changing(layer.attention, Change(shown=keras.ops.convert_to_tensor(shown))):
        changed = numpy(layer(X, MEMORY))
    keep = np.broadcast_to(shown, (2, 5))
    expected = numpy(layer(X, MEMORY, value_mask=keep))
    assert_allclose(changed, expected, rtol=1e-5, atol=1e-6)
    assert_array_equal(numpy(layer(X, MEMORY)), plain)


OTHERS = {
    "alignment": lambda: (layers.MonotonicAttention(4), (X, MEMORY)),
    "input": lambda: (layers.InputAttention(3), (MEMORY,)),
    "temporal": lambda: (layers.TemporalAttention(3), (X, MEMORY)),
    "top_down": lambda: (layers.TopDownDecoder(3, 4), (X, MEMORY)),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_other_loops_answer_as_at_first(make):
    layer, inputs = make()
    first = numpy(layer(*inputs))
    assert_array_equal(numpy(layer(*inputs)), first)
    with regard.capture(layer) as maps:
        assert_allclose(numpy(layer(*inputs)), first, rtol=1e-5, atol=1e-6)
    assert [each for each in maps.values() if each.weights is not None]
    layer.set_weights([0.5 * each for each in layer.get_weights()])
    assert np.abs(numpy(layer(*inputs)) - first).max() > 1e-3
