"""Layers over images: layouts, masks of pixels, traces, wrong arguments."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard import layers
from regard.layers.keras_internals import get_keras_mask
from tests.conformance.cases.images import CASES
from tests.conformance.subject import subject_of
from tests.invariants.tools import numpy, random, randomized

IMAGE = random(1, 2, 3, 4, 6)
KEEP = np.random.default_rng(2).random((2, 3, 4)) > 0.4
OVER_IMAGES = [case for case in CASES if case.places == 2]


@pytest.mark.parametrize("case", OVER_IMAGES, ids=lambda case: case.name)
def test_channels_first_is_the_same_turned(case):
    subject = subject_of(case)
    layer = case.make(data_format="channels_first")
    turned = np.moveaxis(subject.inputs["inputs"], -1, 1)
    layer(turned)
    layer.set_weights(subject.layer.get_weights())
    output, weights = numpy(layer(turned, return_attention_scores=True))
    expected, maps = subject.with_weights()
    assert_allclose(np.moveaxis(output, 1, -1), expected, rtol=1e-5, atol=1e-6)
    if weights.ndim == 4:
        weights = np.moveaxis(weights, 1, -1)
    assert_allclose(weights, maps, rtol=1e-5, atol=1e-6)
    spec = layer.compute_output_spec(
        keras.KerasTensor(turned.shape), return_attention_scores=True
    )
    assert spec[0].shape == output.shape
    assert spec[1].shape == numpy(layer(turned, return_attention_scores=True))[1].shape


@pytest.mark.parametrize("case", OVER_IMAGES, ids=lambda case: case.name)
def test_scattered_pixels_can_be_hidden(case):
    subject = subject_of(case)
    keep = np.random.default_rng(3).random(subject.inputs["inputs"].shape[:3]) > 0.4
    output, weights = subject.with_weights(mask=keep)
    expected, maps = subject.expected(visible=keep)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, maps, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", OVER_IMAGES, ids=lambda case: case.name)
def test_an_image_without_real_pixels_is_finite(case):
    subject = subject_of(case)
    keep = np.ones(subject.inputs["inputs"].shape[:3], bool)
    keep[1] = False
    output = subject.call(mask=keep)
    assert np.isfinite(output).all()
    assert_allclose(output[0], subject.call()[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", OVER_IMAGES, ids=lambda case: case.name)
def test_capturing_a_model_shows_each_layer_once(case):
    inputs = keras.Input(case.symbol("inputs")[1:])
    layer = case.make()
    model = keras.Model(inputs, layer(inputs))
    image = subject_of(case).inputs["inputs"]
    with regard.capture(model) as maps:
        output = model(image)
    (record,) = maps.values()
    _, weights = layer(image, return_attention_scores=True)
    shown = record.weights.reshape(weights.shape)
    assert_allclose(shown, numpy(weights), rtol=1e-5, atol=1e-6)
    assert_allclose(numpy(model(image)), numpy(output), rtol=1e-6)


def test_capturing_axial_attention_shows_both_axes():
    inputs = keras.Input((3, 4, 6))
    model = keras.Model(inputs, layers.AxialAttention(2, 3)(inputs))
    with regard.capture(model) as maps:
        model(IMAGE)
    shapes = [each.weights.shape for each in maps.values() if each.weights is not None]
    assert sorted(shapes) == [(6, 2, 4, 4), (8, 2, 3, 3)]


def test_the_trace_of_pixels_is_whole():
    layer = randomized(layers.SAGANAttention(ratio=2), IMAGE)
    trace = layer.trace(IMAGE, mask=KEEP)
    shown = trace.masks["padding"]
    powers = np.exp(trace.scores) * shown
    assert_allclose(trace.weights, powers / powers.sum(-1, keepdims=True), rtol=1e-4)
    assert_allclose(trace.context, trace.weights @ trace.value, rtol=1e-4, atol=1e-5)


def test_registers_that_are_hidden_change_nothing():
    tokens = random(7, 2, 5, 6)
    keep = np.arange(5) < [[5], [3]]
    registers = randomized(layers.Registers(3), tokens)
    attention = randomized(layers.MultiHeadAttention(2, 3), tokens)
    wide = registers(tokens, mask=keep)
    both = np.concatenate([keep, np.ones((2, 3), bool)], axis=1)
    assert_array_equal(numpy(get_keras_mask(wide)), both)
    expected = numpy(attention(tokens, query_mask=keep, value_mask=keep))
    seen = np.arange(8) < 5
    found = numpy(registers.drop(attention(wide, value_mask=np.stack([seen] * 2))))
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    read = numpy(registers.drop(attention(wide)))
    assert np.abs(read - expected)[keep].max() > 1e-2


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="inputs must be images with four axes"):
        layers.SqueezeExcitation()(IMAGE[0])
    with pytest.raises(ValueError, match="data_format must be one of"):
        layers.CBAM(data_format="NHWC")
    with pytest.raises(ValueError, match=r"mask must have shape \(batch, height"):
        layers.SimAM()(IMAGE, mask=KEEP[:, :2])
    with pytest.raises(ValueError, match="mask must be boolean"):
        layers.SimAM()(IMAGE, mask=KEEP.astype("float32"))
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        layers.EfficientChannelGate(4)
    with pytest.raises(ValueError, match="pools must be one of"):
        layers.ChannelGate(pools=("median",))
    with pytest.raises(ValueError, match="pools must be a tuple"):
        layers.ChannelGate(pools="max")
    with pytest.raises(ValueError, match="regularization must be positive"):
        layers.SimAM(0.0)


def test_the_usual_kernel_of_efficient_channels_is_odd():
    sizes = {64: 3, 128: 5, 256: 5, 512: 5, 8: 3, 2: 1}
    for channels, size in sizes.items():
        layer = layers.EfficientChannelGate()
        layer.build((None, 2, 2, channels))
        assert layer.convolution.kernel_size == (size,)


def test_sizes_of_images_are_told_by_their_names():
    with pytest.raises(ValueError, match="value_dim must be a positive integer"):
        layers.DeformableAttention(2, value_dim=0)
    with pytest.raises(ValueError, match="size must be"):
        layers.SpatialTransformer(size=(3,))
