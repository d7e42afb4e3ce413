"""Defects of other packages' monotonic, location and coverage attention."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard.layers import (
    AttentionDecoder,
    ChunkwiseAttention,
    CoverageAttention,
    DynamicConvolutionAttention,
    ForwardAttention,
    LocationSensitiveAttention,
    MixtureAttention,
    MonotonicAttention,
)

LAYERS = {
    "coverage": lambda: CoverageAttention(4),
    "location": lambda: LocationSensitiveAttention(4, 2, 3),
    "forward": lambda: ForwardAttention(4),
    "monotonic": lambda: MonotonicAttention(4),
    "chunkwise": lambda: ChunkwiseAttention(4, 2),
    "mixture": lambda: MixtureAttention(2, 4),
    "dynamic": lambda: DynamicConvolutionAttention(4, 2, 3, 2, 3),
}
RNG = np.random.default_rng(0)
QUERY = RNG.normal(size=(2, 3, 4)).astype("float32")
VALUE = RNG.normal(size=(2, 5, 6)).astype("float32")


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_a_monotonic_step_far_from_the_start_keeps_its_mass():
    """TensorFlow Addons' "parallel" keeps 0.009 of it, its "recursive" all."""
    layer = MonotonicAttention(4, score_bias=0.0)
    memory = np.zeros((1, 100, 6), "float32")  # every probability is 1/2
    query = np.zeros((1, 1, 4), "float32")
    start = {"alignment": np.eye(100, dtype="float32")[None, [40]]}
    _, weights, state = layer(query, memory, return_attention_scores=True, state=start)
    row = numpy(weights)[0, 0]
    assert_allclose(row.sum(), 1.0, rtol=1e-5)
    assert_allclose(row[40:], 0.5 ** np.arange(1, 61), rtol=1e-5)
    assert (row[:40] == 0).all()
    assert_array_equal(numpy(state["alignment"])[0, 0], row)


@pytest.mark.parametrize("name", LAYERS)
def test_an_empty_memory_gives_zeros_and_not_nan(name):
    """ESPnet and fairseq mask with minus infinity."""
    mask = np.array([[True] * 5, [False] * 5])
    layer = LAYERS[name]()
    output, weights = layer(QUERY, VALUE, value_mask=mask, return_attention_scores=True)
    assert np.isfinite(numpy(output)).all()
    assert (numpy(output)[1] == 0).all() and (numpy(weights)[1] == 0).all()


@pytest.mark.parametrize("name", LAYERS)
def test_no_memory_stays_on_the_layer_so_models_are_saved(name, tmp_path):
    """TensorFlow Addons' mechanisms keep theirs, and their models cannot be saved."""
    inputs, value = keras.Input((None, 4)), keras.Input((None, 6))
    decoder = AttentionDecoder(LAYERS[name](), keras.layers.GRUCell(3))
    model = keras.Model([inputs, value], decoder(inputs, value))
    expected = numpy(model([QUERY, VALUE]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(loaded([QUERY, VALUE])), expected)
    other = numpy(model([QUERY[:, :2], VALUE[:, :4]]))
    assert other.shape == (2, 2, 9)
    assert_array_equal(numpy(model([QUERY, VALUE])), expected)


@pytest.mark.parametrize("name", LAYERS)
def test_states_stay_in_full_precision(name):
    """Keras casts the states of a loop to half precision: sums stop growing there."""
    layer = LAYERS[name]()
    half = type(layer).from_config({**layer.get_config(), "dtype": "mixed_float16"})
    _, last = half(QUERY, VALUE, state={})
    for leaf in keras.tree.flatten(last):
        assert keras.backend.standardize_dtype(leaf.dtype) == "float32"


def test_coverage_goes_on_growing_in_half_precision():
    """In float16 2048 + 1 is 2048."""
    layer = CoverageAttention(2, dtype="mixed_float16")
    layer(QUERY, VALUE)
    start = {"coverage": np.full((2, 1, 1), 2048.0, "float32")}
    _, last = layer(QUERY, VALUE[:, :1], state=start)
    assert_allclose(numpy(last["coverage"]), 2051.0)


def test_left_padding_moves_the_start_of_an_alignment():
    """The first real key, not the first column."""
    padded = np.concatenate([np.full((2, 2, 6), 9.0, "float32"), VALUE], axis=1)
    mask = np.arange(7) >= np.array([[2], [2]])
    for name in ("forward", "monotonic", "chunkwise", "mixture", "dynamic"):
        layer = LAYERS[name]()
        plain = numpy(layer(QUERY, VALUE))
        found = numpy(layer(QUERY, padded, value_mask=mask))
        assert_allclose(found, plain, rtol=1e-5, atol=1e-6, err_msg=name)
