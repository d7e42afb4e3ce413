"""Keras' own layers and KerasHub's."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard
from regard import layers

RNG = np.random.default_rng(5)
QUERY = RNG.normal(size=(2, 3, 8)).astype("float32")
VALUE = RNG.normal(size=(2, 5, 6)).astype("float32")
KEY = RNG.normal(size=(2, 5, 7)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def randomized(layer):
    for weight in layer.weights:
        weight.assign(RNG.normal(size=weight.shape).astype("float32"))
    return layer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_bias": False, "value_dim": 4, "output_shape": 9},
        {"use_gate": True},
    ],
    ids=str,
)
def test_multi_head_attention(options):
    theirs = keras.layers.MultiHeadAttention(2, 3, **options)
    # Asked for weights: on JAX the other path bears values of the keys' width only.
    theirs(QUERY, VALUE, KEY, return_attention_scores=True)
    randomized(theirs)
    ours = regard.convert.from_keras(theirs)
    assert isinstance(ours, layers.MultiHeadAttention) and ours.name == theirs.name
    found, weights = ours(QUERY, VALUE, KEY, return_attention_scores=True)
    expected, scores = theirs(QUERY, VALUE, KEY, return_attention_scores=True)
    assert_allclose(numpy(weights), numpy(scores), rtol=1e-4, atol=1e-5)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"use_bias": False, "use_gate": True}], ids=str
)
def test_grouped_queries(options):
    theirs = keras.layers.GroupQueryAttention(3, 4, 2, **options)
    theirs(QUERY, QUERY)
    ours = regard.convert.from_keras(randomized(theirs))
    assert isinstance(ours, layers.GroupedQueryAttention)
    expected = theirs(QUERY, QUERY)
    assert_allclose(numpy(ours(QUERY)), numpy(expected), rtol=1e-4, atol=1e-5)


def test_sliding_windows_of_equal_lengths():
    theirs = keras.layers.MultiHeadAttention(2, 3, sliding_window=2)
    theirs(VALUE, VALUE)
    ours = regard.convert.from_keras(randomized(theirs))
    expected = theirs(VALUE, VALUE)
    assert_allclose(numpy(ours(VALUE)), numpy(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("use_scale", [True, False])
def test_additive_attention(use_scale):
    theirs = keras.layers.AdditiveAttention(use_scale=use_scale)
    value = VALUE @ RNG.normal(size=(6, 8)).astype("float32")
    theirs([QUERY, value])
    ours = regard.convert.from_keras(randomized(theirs))
    expected = theirs([QUERY, value])
    assert_allclose(numpy(ours(QUERY, value)), numpy(expected), rtol=1e-4, atol=1e-5)


def test_cached_attention_of_keras_hub():
    keras_hub = pytest.importorskip("keras_hub")
    theirs = keras_hub.layers.CachedMultiHeadAttention(2, 4)
    theirs(QUERY, QUERY)
    ours = regard.convert.from_keras_hub(randomized(theirs))
    assert_allclose(
        numpy(ours(QUERY)), numpy(theirs(QUERY, QUERY)), rtol=1e-4, atol=1e-5
    )


def test_what_is_not_built_or_not_known_is_refused():
    with pytest.raises(ValueError, match="source must be built"):
        regard.convert.from_keras(keras.layers.MultiHeadAttention(2, 3))
    dense = keras.layers.Dense(3)
    dense.build((None, 4))
    with pytest.raises(ValueError, match=r"AdditiveAttention, .*Got Dense"):
        regard.convert.from_keras(dense)


def test_a_converted_layer_survives_a_file(tmp_path):
    theirs = keras.layers.MultiHeadAttention(2, 3)
    theirs(QUERY, QUERY)
    ours = regard.convert.from_keras(randomized(theirs))
    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, ours(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(
        numpy(loaded(QUERY)), numpy(theirs(QUERY, QUERY)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("axes", [None, (1,), (2,), (1, 2)])
def test_multi_head_attention_over_some_of_many_axes(axes):
    theirs = keras.layers.MultiHeadAttention(2, 3, attention_axes=axes)
    grid = RNG.normal(size=(2, 3, 4, 8)).astype("float32")
    expected = theirs(grid, grid)
    found = regard.convert.from_keras(theirs)(grid)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-5)


def test_quantized_weights_are_refused():
    theirs = keras.layers.MultiHeadAttention(2, 3)
    theirs(QUERY, QUERY)
    theirs._key_dense.quantize("int8")
    with pytest.raises(ValueError, match="source must not be quantized"):
        regard.convert.from_keras(theirs)
