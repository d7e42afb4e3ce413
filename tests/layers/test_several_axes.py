"""Attention over some of many axes, next to Keras' own layer."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Window, layers

RNG = np.random.default_rng(3)
QUERY = RNG.normal(size=(2, 3, 4, 6)).astype("float32")
VALUE = RNG.normal(size=(2, 5, 4, 7)).astype("float32")


def numpy(tensors):
    return [np.asarray(keras.ops.convert_to_numpy(each)) for each in tensors]


def both(query, *memory, **options):
    """Keras' layer and ours with the same random weights."""
    options = {"num_heads": 2, "key_dim": 3, **options}
    theirs, ours = (
        kind(**options)
        for kind in (keras.layers.MultiHeadAttention, layers.MultiHeadAttention)
    )
    for layer in (theirs, ours):
        layer(query, *memory)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    weights = [RNG.normal(size=w.shape) for w in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours


def agree(theirs, ours, *inputs, **call):
    expected, found = (
        numpy(each(*inputs, return_attention_scores=True, **call))
        for each in (theirs, ours)
    )
    for left, right in zip(found, expected, strict=True):
        assert left.shape == right.shape
        assert_allclose(left, right, rtol=1e-4, atol=1e-5)
    return found


@pytest.mark.parametrize("axes", [None, 1, (1,), (2,), (1, 2)])
def test_it_is_keras_for_any_axes(axes):
    value = VALUE if axes in (1, (1,)) else QUERY
    agree(*both(QUERY, value, attention_axes=axes), QUERY, value)


@pytest.mark.parametrize("axes", [(1, 2), (1, 3), (2, 3)])
def test_it_is_keras_for_five_axes(axes):
    inputs = RNG.normal(size=(2, 2, 3, 4, 5)).astype("float32")
    agree(*both(inputs, inputs, attention_axes=axes), inputs, inputs)


def test_one_of_five_axes():
    """Keras' softmax takes no more than five axes on TensorFlow; ours does."""
    inputs = RNG.normal(size=(2, 2, 3, 4, 5)).astype("float32")
    _, ours = both(inputs[:, 0], inputs[:, 0], attention_axes=2)
    found = numpy(ours(inputs[:, 0], return_attention_scores=True))
    wider = layers.MultiHeadAttention(2, 3, attention_axes=3)
    wider(inputs)
    wider.set_weights(ours.get_weights())
    whole = numpy(wider(inputs, return_attention_scores=True))
    for left, right in zip(whole, found, strict=True):
        assert_allclose(left[:, 0], right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("axes", "pairs"), [((1,), (3, 5)), ((1, 2), (3, 4, 5, 4))])
def test_masks_of_pairs_are_those_of_keras(axes, pairs):
    mask = RNG.random((2, *pairs)) > 0.3
    mask.reshape(2, -1)[:, 0] = True
    mask[..., 0] |= ~mask.reshape(*mask.shape[: 1 + len(axes)], -1).any(-1).reshape(
        *mask.shape[: 1 + len(axes)], *[1] * (len(axes) - 1)
    )
    agree(*both(QUERY, VALUE, attention_axes=axes), QUERY, VALUE, attention_mask=mask)


def test_negative_axes_are_counted_from_the_end():
    """Keras gives a wrong answer for them."""
    _, ours = both(QUERY, QUERY, attention_axes=(2,))
    again = layers.MultiHeadAttention(2, 3, attention_axes=-2)
    again(QUERY, QUERY)
    again.set_weights(ours.get_weights())
    found, expected = (
        numpy(each(QUERY, QUERY, return_attention_scores=True))
        for each in (again, ours)
    )
    for left, right in zip(found, expected, strict=True):
        assert_allclose(left, right, rtol=1e-6)


@pytest.mark.parametrize("shape", [5, (5,), (2, 3), (2, 3, 2)])
def test_outputs_of_several_axes_are_those_of_keras(shape):
    flat = QUERY[:, :, 0]
    agree(*both(flat, flat, output_shape=shape), flat, flat)
    agree(*both(QUERY, VALUE, output_shape=shape, attention_axes=1), QUERY, VALUE)


@pytest.mark.parametrize("axes", [None, 1, (2,)])
def test_symbolic_shapes_are_the_real_ones(axes):
    layer = layers.MultiHeadAttention(2, 3, attention_axes=axes, output_shape=(5, 2))
    value = VALUE if axes == 1 else QUERY
    real = numpy(layer(QUERY, value, return_attention_scores=True))
    symbols = (keras.KerasTensor((None, *x.shape[1:])) for x in (QUERY, value))
    symbolic = layer(*symbols, return_attention_scores=True)
    assert [s.shape[1:] for s in symbolic] == [r.shape[1:] for r in real]
    assert layer.compute_output_shape(QUERY.shape, value.shape) == real[0].shape


def test_hidden_positions_do_not_matter():
    _, ours = both(QUERY, VALUE, attention_axes=1)
    for keep in (np.ones((2, 5), bool), np.ones((2, 5, 4), bool)):
        keep[0, 3:] = False
        spoilt = np.where(keep.reshape(2, 5, -1, 1), VALUE, np.float32("nan"))
        clean = np.where(np.isnan(spoilt), np.float32(0), spoilt)
        found, expected = (
            numpy(ours(QUERY, x, value_mask=keep, return_attention_scores=True))
            for x in (spoilt, clean)
        )
        for left, right in zip(found, expected, strict=True):
            assert_allclose(left, right, rtol=1e-6)
        assert (found[1][0, ..., 3:] == 0).all()


def test_masks_of_the_tensors_are_honoured_and_carried_on():
    _, ours = both(QUERY, QUERY, attention_axes=(1, 2))
    keep = np.ones((2, 3, 4), bool)
    keep[1, :, 2:] = False
    inputs = keras.ops.convert_to_tensor(QUERY)
    inputs._keras_mask = keras.ops.convert_to_tensor(keep)
    output = ours(inputs, inputs)
    assert inputs._keras_mask is not None
    expected = ours(QUERY, QUERY, query_mask=keep, value_mask=keep)
    assert_allclose(*numpy([output, expected]), rtol=1e-6)
    np.testing.assert_array_equal(*numpy([output._keras_mask, inputs._keras_mask]))


def test_causal_over_one_axis():
    _, ours = both(QUERY, QUERY, attention_axes=2)
    before = numpy([ours(QUERY, QUERY, use_causal_mask=True)])[0]
    changed = QUERY.copy()
    changed[:, :, 3] = 9
    after = numpy([ours(changed, changed, use_causal_mask=True)])[0]
    assert_allclose(after[:, :, :3], before[:, :, :3], rtol=1e-5, atol=1e-6)
    assert np.abs(after[:, :, 3] - before[:, :, 3]).max() > 0.1


def test_a_model_with_axes_survives_saving(tmp_path):
    inputs = keras.Input((3, 4, 6))
    layer = layers.MultiHeadAttention(2, 3, attention_axes=(2,), output_shape=(2, 5))
    model = keras.Model(inputs, layer(inputs, inputs))
    model.save(tmp_path / "axes.keras")
    again = keras.models.load_model(tmp_path / "axes.keras")
    assert again.layers[-1].attention_axes == (2,)
    assert_allclose(*numpy([again(QUERY), model(QUERY)]), rtol=1e-6)


@pytest.mark.parametrize("axes", [0, 3, (1, 1), (), 1.5, "1", (4,)])
def test_other_axes_are_refused(axes):
    with pytest.raises(ValueError, match="attention_axes must"):
        layers.MultiHeadAttention(2, 3, attention_axes=axes)(QUERY, QUERY)


def test_places_need_one_axis():
    with pytest.raises(ValueError, match="need one axis of places"):
        layers.MultiHeadAttention(2, 3, scope=Window(1))(QUERY, QUERY)
    layer = layers.MultiHeadAttention(2, 3)
    with pytest.raises(ValueError, match="use_causal_mask must be left out"):
        layer(QUERY, QUERY, use_causal_mask=True)
