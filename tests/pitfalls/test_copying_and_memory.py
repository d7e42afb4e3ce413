"""Defects of others' pointers, copies, memories and decoders."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers, norms, positions
from regard.compat import tfa_seq2seq as tfa
from regard.core.addressing import sharpened
from regard.layers import (
    CopyNet,
    PointerAttention,
    PointerGenerator,
    PointerSentinel,
)

RNG = np.random.default_rng(23)
X = RNG.normal(size=(2, 3, 4)).astype("float32")
MEMORY = RNG.normal(size=(2, 5, 4)).astype("float32")
IDS = np.array([[3, 8, 3, 9, 3], [0, 1, 10, 10, 2]], "int32")


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))


def test_no_memory_is_kept_on_a_mechanism_so_that_models_can_be_saved(tmp_path):
    """tensorflow-addons keeps it with setup_memory; its models cannot be saved."""
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 4))
    wrapper = tfa.AttentionWrapper(keras.layers.GRUCell(3), tfa.LuongAttention(3), 3)
    model = keras.Model([inputs, memory], wrapper(inputs, memory))
    before = set(vars(wrapper)) | set(vars(wrapper.attention_mechanisms[0]))
    expected = numpy(model([X, MEMORY]))
    after = set(vars(wrapper)) | set(vars(wrapper.attention_mechanisms[0]))
    assert after == before
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    again([X[:1, :1], MEMORY[:1, :2]])  # another batch and another memory between
    assert_array_equal(numpy(again([X, MEMORY])), expected)


def test_beams_need_no_tiling_by_the_caller():
    """tensorflow-addons: forgetting tile_batch loses accuracy in silence."""
    wrapper = tfa.AttentionWrapper(keras.layers.GRUCell(3), tfa.LuongAttention(3), 4)
    matrix = RNG.normal(size=(6, 4)).astype("float32")
    decoder = tfa.BeamSearchDecoder(
        wrapper, 3, output_layer=keras.layers.Dense(6), maximum_iterations=4
    )
    options = {"start_tokens": np.array([1, 1], "int32"), "end_token": 2}
    both, *_ = decoder(matrix, MEMORY, **options)
    options["start_tokens"] = options["start_tokens"][:1]
    for b in range(2):
        alone, *_ = decoder(matrix, MEMORY[b : b + 1], **options)
        found = numpy(alone.beam_search_decoder_output.scores)
        expected = numpy(both.beam_search_decoder_output.scores)[b : b + 1]
        assert_allclose(found, expected, atol=1e-5)


def test_a_word_that_stands_twice_is_copied_with_both_weights():
    weights = np.full((2, 3, 5), 0.2, "float32")
    layer = PointerGenerator(9, extra_size=2)
    words, gate = layer(X, weights, IDS, return_gate=True)
    copied = (1 - numpy(gate)[..., 0])[1]
    assert_allclose(numpy(words)[1, :, 10], 0.4 * copied, rtol=1e-5)


def test_the_logarithm_of_nothing_is_finite_in_half_precision_too():
    for policy in ("float32", "float16", "bfloat16"):
        options = {"extra_size": 5, "log": True, "dtype": policy}
        for kind in (CopyNet, PointerSentinel):
            words = numpy(kind(9, **options)(X, MEMORY, ids=IDS))
            assert np.isfinite(words).all() and (words[..., 12:] < -80).all()


def test_a_pointer_does_not_take_an_item_twice():
    layer = PointerAttention(4)
    layer(X, MEMORY)
    memory = layer.prepare(ops.convert_to_tensor(MEMORY))
    state, taken = layer.initial_state(memory), []
    for _ in range(5):
        query = ops.convert_to_tensor(X[:, 0])  # the same question every time
        _, weights, state = layer.step(query, memory, state)
        taken.append(numpy(weights)[:, 0].argmax(-1))
    for items in np.stack(taken, 1):
        assert sorted(items) == [0, 1, 2, 3, 4]


def test_sharpening_does_not_underflow_in_half_precision():
    """Powers of small weights vanish in float16, and 0 / 0 is NaN."""
    weights = np.full((1, 1, 128), 1 / 128, "float16")
    power = np.full((1, 1, 1), 20.0, "float16")
    with np.errstate(under="ignore", invalid="ignore"):
        plain = weights**power
        assert np.isnan(plain / plain.sum()).all()
    found = numpy(sharpened(*map(ops.convert_to_tensor, (weights, power))))
    assert_allclose(found, 1 / 128, rtol=1e-4)


def test_entries_of_an_outer_memory_stand_at_no_position():
    # A query that is turned against keys that are not would compare nonsense.
    layer = layers.MemorizingAttention(
        2, 4, neighbours=3, gate_bias=50.0, position=positions.RoPE()
    )
    rng = np.random.default_rng(3)
    x, past = rng.normal(size=(2, 1, 3, 6)).astype("float32")
    layer.build(x.shape)
    keys, values = layer.entries(past)
    memory = {"memory_key": keys, "memory_value": values}
    late = layer(x, query_positions=np.arange(40, 43, dtype="int32"), **memory)
    found, expected = (numpy(y) for y in (late, layer(x, **memory)))
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_norms_have_names():
    for name, norm in (("rms", norms.RMS()), ("unit", norms.Unit())):
        layer = layers.MemorizingAttention(2, 4, query_key_norm=name)
        assert layer.query_key_norm == norm


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.HopfieldAttention(0),
        lambda: layers.MemoryNetwork(4, maximum_length=0),
        lambda: layers.AttentionFree(4, maximum_length=0),
        lambda: layers.GatedLinearAttention(2, 4, gate_rank=0),
    ],
)
def test_zero_is_no_size(make):
    with pytest.raises(ValueError, match="must be a positive integer"):
        make()
