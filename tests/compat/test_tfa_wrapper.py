"""TensorFlow Addons' mechanisms and wrapper: stateless, savable, exact."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard.compat import tfa_seq2seq as tfa
from regard.layers import AttentionDecoder, DotAttention
from tests.invariants.tools import numpy, random

X, MEMORY = random(1, 2, 4, 5), random(2, 2, 6, 7)
LENGTHS = np.array([3, 6], "int32")
MECHANISMS = {
    "bahdanau": lambda **o: tfa.BahdanauAttention(6, normalize=True, **o),
    "luong": lambda **o: tfa.LuongAttention(3, scale=True, **o),
    "bahdanau_monotonic": lambda **o: tfa.BahdanauMonotonicAttention(6, **o),
    "luong_monotonic": lambda **o: tfa.LuongMonotonicAttention(3, scale=True, **o),
}
each = pytest.mark.parametrize("name", MECHANISMS)


def wrapper(name, **options):
    cell = keras.layers.GRUCell(3)
    return tfa.AttentionWrapper(cell, MECHANISMS[name](), 4, **options)


@each
def test_a_mechanism_survives_its_configuration(name):
    mechanism = MECHANISMS[name](name="mine")
    config = json.loads(json.dumps(mechanism.get_config()))
    clone = type(mechanism).from_config(config)
    assert json.loads(json.dumps(clone.get_config())) == config
    query = random(3, 2, 4, 3)
    first = numpy(mechanism(query, MEMORY))
    clone(query, MEMORY)
    clone.set_weights(mechanism.get_weights())
    assert_array_equal(numpy(clone(query, MEMORY)), first)


@each
def test_a_memory_in_the_constructor_is_refused(name):
    with pytest.raises(ValueError, match="memory must be None"):
        MECHANISMS[name](memory=MEMORY)
    with pytest.raises(ValueError, match="memory_sequence_length must be None"):
        MECHANISMS[name](memory_sequence_length=LENGTHS)


@each
def test_a_model_with_a_wrapper_can_be_saved(name, tmp_path):
    inputs, memory = keras.Input((None, 5)), keras.Input((None, 7))
    model = keras.Model([inputs, memory], wrapper(name)(inputs, memory))
    expected = numpy(model([X, MEMORY]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(again([X, MEMORY])), expected)
    short = numpy(again([X[:1, :2], MEMORY[:1, :4]]))  # no memory was kept
    assert_allclose(short, numpy(model([X[:1, :2], MEMORY[:1, :4]])), atol=1e-6)


@each
def test_lengths_hide_what_lies_beyond_them(name):
    layer = wrapper(name)
    spoilt = MEMORY.copy()
    spoilt[0, 3:] = np.nan
    options = {"memory_sequence_length": LENGTHS, "return_alignments": True}
    outputs, alignments = layer(X, MEMORY, **options)
    again, _ = layer(X, spoilt, **options)
    assert_allclose(numpy(again), numpy(outputs), atol=1e-6)
    assert_array_equal(numpy(alignments)[0, :, 3:], np.zeros((4, 3)))
    mask = np.arange(6) < LENGTHS[:, None]
    masked = layer(X, spoilt, memory_mask=mask)
    assert_allclose(numpy(masked), numpy(outputs), atol=1e-6)
    nothing = layer(X, MEMORY, memory_sequence_length=np.array([0, 6], "int32"))
    assert np.isfinite(numpy(nothing)).all()


@each
def test_steps_equal_the_loop(name):
    layer = wrapper(name)
    expected, alignments, last = layer(
        X, MEMORY, return_alignments=True, return_state=True
    )
    memory = layer.prepare(keras.ops.convert_to_tensor(MEMORY))
    state = layer.get_initial_state(memory)
    for i in range(X.shape[1]):
        output, state = layer.step(keras.ops.convert_to_tensor(X[:, i]), memory, state)
        assert_allclose(numpy(output), numpy(expected)[:, i], rtol=1e-5, atol=1e-6)
        found = numpy(state.alignments[0])
        assert_allclose(found, numpy(alignments)[:, i], rtol=1e-5, atol=1e-6)
    assert_allclose(numpy(state.cell_state[0]), numpy(last.cell_state[0]), atol=1e-6)
    assert_array_equal(numpy(state.clone(attention=0).attention), 0)


@each
def test_a_training_step_moves_every_weight(name):
    inputs, memory = keras.Input((None, 5)), keras.Input((None, 7))
    layer = wrapper(name)
    model = keras.Model([inputs, memory], layer(inputs, memory))
    model.compile("sgd", "mse")
    before = [numpy(each.value) for each in layer.trainable_variables]
    model.fit([X, MEMORY], random(4, 2, 4, 4), verbose=0)
    for old, new in zip(before, layer.trainable_variables, strict=True):
        assert np.isfinite(numpy(new.value)).all()
        assert not np.array_equal(old, numpy(new.value)), new.path


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_close(policy):
    exact = wrapper("bahdanau")
    expected = numpy(exact(X, MEMORY))
    cell = keras.layers.GRUCell(3, dtype=policy)
    mechanism = tfa.BahdanauAttention(6, normalize=True, dtype=policy)
    half = tfa.AttentionWrapper(cell, mechanism, 4, dtype=policy)
    half(X, MEMORY)
    half.set_weights(exact.get_weights())
    output = half(X, MEMORY)
    assert keras.backend.standardize_dtype(output.dtype) == half.compute_dtype
    assert_allclose(numpy(keras.ops.cast(output, "float32")), expected, atol=0.1)


def test_several_mechanisms_read_one_memory_or_their_own():
    other = random(5, 2, 3, 8)
    layer = tfa.AttentionWrapper(
        keras.layers.LSTMCell(3),
        [MECHANISMS["bahdanau"](), MECHANISMS["luong"]()],
        [4, 2],
        alignment_history=True,
    )
    outputs, alignments, state = layer(
        X, [MEMORY, other], return_alignments=True, return_state=True
    )
    assert outputs.shape == (2, 4, 6)
    assert [each.shape for each in alignments] == [(2, 4, 6), (2, 4, 3)]
    assert_array_equal(numpy(state.alignment_history[1]), numpy(alignments[1]))
    with pytest.raises(ValueError, match="one for each of the 2 mechanisms"):
        layer(X, [MEMORY, other, other])
    with pytest.raises(ValueError, match="one for each of the 2"):
        tfa.AttentionWrapper(
            keras.layers.GRUCell(3), layer.attention_mechanisms, [4, 2, 1]
        )


def test_without_an_attention_layer_the_attention_is_the_context():
    layer = tfa.AttentionWrapper(keras.layers.GRUCell(3), MECHANISMS["luong"]())
    outputs, alignments = layer(X, MEMORY, return_alignments=True)
    assert_allclose(numpy(outputs), numpy(alignments) @ MEMORY, rtol=1e-4, atol=1e-5)


def test_luong_feeding_is_that_of_our_decoder_up_to_its_tanh():
    """The wrapper's combination is linear; ours is the paper's, with a tanh."""
    cell, own = keras.layers.GRUCell(3), keras.layers.GRUCell(3)
    layer = tfa.AttentionWrapper(cell, DotAttention(), 3)
    memory = MEMORY[..., :3]
    ours = AttentionDecoder(DotAttention(), own, "new_state", input_feeding=True)
    layer(X, memory)
    ours(X, memory)
    own.set_weights(cell.get_weights())
    kernel = numpy(layer.attention_layers[0].kernel.value)
    ours.output_kernel.assign(np.concatenate([kernel[3:], kernel[:3]]))
    first = numpy(layer(X[:, :1], memory))
    assert_allclose(numpy(ours(X[:, :1], memory)), np.tanh(first), rtol=1e-4, atol=1e-5)


@keras.saving.register_keras_serializable("tests")
def added(inputs, attention):
    return keras.ops.concatenate([inputs, 2 * attention], axis=-1)


def test_functions_and_layers_of_ones_own_survive_saving(tmp_path):
    inputs, memory = keras.Input((None, 5)), keras.Input((None, 7))
    layer = tfa.AttentionWrapper(
        keras.layers.GRUCell(3),
        MECHANISMS["bahdanau"](),
        attention_layer=keras.layers.Dense(2, activation="tanh"),
        cell_input_fn=added,
        output_attention=False,
    )
    model = keras.Model([inputs, memory], layer(inputs, memory))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(again([X, MEMORY])), numpy(model([X, MEMORY])))


def test_what_cannot_be_is_refused():
    cell, mechanism = keras.layers.GRUCell(3), MECHANISMS["luong"]()
    with pytest.raises(ValueError, match="initial_cell_state must be None"):
        tfa.AttentionWrapper(cell, mechanism, initial_cell_state=[X])
    with pytest.raises(ValueError, match="attention_layer_size must be None"):
        tfa.AttentionWrapper(cell, mechanism, 4, attention_layer=keras.layers.Dense(4))
    with pytest.raises(ValueError, match="units must be the width of the query"):
        tfa.AttentionWrapper(keras.layers.GRUCell(4), mechanism)(X, MEMORY)


def test_noise_is_added_in_training_alone():
    mechanism = tfa.BahdanauMonotonicAttention(
        6, sigmoid_noise=2.0, sigmoid_noise_seed=4
    )
    layer = tfa.AttentionWrapper(keras.layers.GRUCell(3), mechanism)
    plain, first, second = (
        numpy(layer(X, MEMORY, training=training)) for training in (False, True, True)
    )
    assert_array_equal(numpy(layer(X, MEMORY)), plain)
    assert np.abs(first - plain).max() > 1e-3 and np.abs(first - second).max() > 1e-3
