"""Reading between pixels: conventions, levels, wrong arguments."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from regard.core.sampling import as_pixels, bilinear
from regard.layers.keras_internals import get_keras_mask
from tests.invariants.tools import numpy, random, randomized, read

IMAGES = [random(1, 2, 4, 5, 6), random(2, 2, 2, 3, 6)]
QUERY = random(3, 2, 7, 8)
POINTS = np.random.default_rng(4).random((2, 7, 2)).astype("float32")


def test_both_conventions_know_their_corners():
    places = keras.ops.convert_to_tensor([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    edges = numpy(as_pixels(places, 3, 5))
    assert_allclose(edges, [[-0.5, -0.5], [4.5, 2.5], [2.0, 1.0]])
    centres = numpy(as_pixels(places, 3, 5, align_corners=True))
    assert_allclose(centres, [[0, 0], [4, 2], [2, 1]])


def test_beyond_the_image_there_are_zeros():
    image = np.ones((1, 2, 2, 1), "float32")
    places = np.array([[[-0.5, 0], [-1, 0], [1.5, 1], [0.5, 0.5], [9, 9]]], "float32")
    found = numpy(bilinear(image, keras.ops.convert_to_tensor(places)))
    assert_allclose(found[0, :, 0], [0.5, 0, 0.5, 1, 0])


def test_levels_are_read_one_by_one():
    """With the weight on one level only the others do not matter."""
    layer = layers.DeformableAttention(2, 3, levels=2)
    layer(QUERY, IMAGES, POINTS)
    assert numpy(layer(QUERY, IMAGES, POINTS)).shape == QUERY.shape
    logits = np.full((2, 2, 3), -1e4, "float32")
    logits[:, 1] = 0
    layer.weight_bias.assign(logits.reshape(-1))
    output, weights = read(layer, QUERY, IMAGES, POINTS)
    assert weights.shape == (2, 2, 7, 6) and (weights[..., :3] == 0).all()
    changed = numpy(layer(QUERY, [9 * IMAGES[0], IMAGES[1]], POINTS))
    assert_allclose(changed, output, rtol=1e-5, atol=1e-6)
    per_level = np.stack([POINTS, POINTS], axis=2)
    assert_allclose(numpy(layer(QUERY, IMAGES, per_level)), output, rtol=1e-6)


def test_a_mask_per_level_hides_pixels():
    layer = randomized(
        layers.DeformableAttention(2, 3, levels=2), QUERY, IMAGES, POINTS
    )
    keep = [np.ones(each.shape[:3], bool) for each in IMAGES]
    keep[1][:, :, -1] = False
    spoilt = np.where(keep[1][..., None], IMAGES[1], np.float32("nan"))
    found = numpy(layer(QUERY, [IMAGES[0], spoilt], POINTS, value_mask=keep))
    expected = numpy(layer(QUERY, IMAGES, POINTS, value_mask=keep))
    assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_hidden_query_reads_nothing(implicit):
    layer = layers.DeformableAttention(2, 3)
    layer = randomized(layer, QUERY, IMAGES[0], POINTS)
    keep = np.arange(7) < [[7], [4]]
    padded = np.where(keep[..., None], QUERY, 0.0)
    spoilt = np.where(keep[..., None], QUERY, np.float32("nan"))
    expected, full = read(layer, padded, IMAGES[0], POINTS)
    if implicit:
        padded = keras.layers.Masking()(padded)
        output = layer(padded, IMAGES[0], POINTS, return_attention_scores=True)
    else:
        asked = {"query_mask": keep, "return_attention_scores": True}
        output = layer(spoilt, IMAGES[0], POINTS, **asked)
    assert_array_equal(numpy(get_keras_mask(output[0])), keep)
    output, weights = (numpy(each) for each in output)
    assert_allclose(output[keep], expected[keep], rtol=1e-5, atol=1e-6)
    assert_allclose(output[1, 5], numpy(layer.output_dense.bias), rtol=1e-5)
    seen = np.broadcast_to(keep[:, None, :, None], weights.shape)
    assert_allclose(weights, np.where(seen, full, 0.0), rtol=1e-5, atol=1e-7)


def test_heads_begin_on_a_ring():
    layer = layers.DeformableAttention(4, 3)
    trace = layer.trace(0 * QUERY, IMAGES[0], POINTS)
    away = trace.extra["places"] - POINTS[:, :, None, None, None]
    away = (away * [5, 4])[0, 0, :, 0]  # in pixels (heads, points, 2)
    assert_allclose(np.abs(away).max(axis=-1), [[1, 2, 3]] * 4, rtol=1e-4)
    assert_allclose(away[1], [[0, 1], [0, 2], [0, 3]], atol=1e-4)
    assert_allclose(trace.weights, 1 / 3, rtol=1e-6)


def test_a_model_with_levels_saves(tmp_path):
    inputs = [keras.Input((None, 8)), keras.Input((4, 5, 6)), keras.Input((2, 3, 6))]
    points = keras.Input((None, 2))
    layer = layers.DeformableAttention(2, 3, levels=2)
    output = layer(inputs[0], inputs[1:], points)
    model = keras.Model([*inputs, points], output)
    arrays = [QUERY, *IMAGES, POINTS]
    expected = numpy(model(arrays))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(again(arrays)), expected, rtol=1e-6)


def test_a_spatial_transformer_aims_by_features(tmp_path):
    image, features = IMAGES[0], random(5, 2, 3)
    layer = layers.SpatialTransformer(size=(2, 2), data_format="channels_first")
    turned = np.moveaxis(image, -1, 1)
    assert numpy(layer(turned, features)).shape == (2, 6, 2, 2)
    matrix = [[1, 0, 2 / 5], [0, 1, 0]]  # one pixel to the right
    plain = layers.SpatialTransformer()
    plain(image)
    plain.bias.assign(np.reshape(matrix, -1))
    found = numpy(plain(image))
    assert_allclose(found[:, :, :-1], image[:, :, 1:], rtol=1e-4, atol=1e-5)
    assert_allclose(found[:, :, -1], 0, atol=1e-5)
    inputs = [keras.Input((4, 5, 6)), keras.Input((3,))]
    aimed = layers.SpatialTransformer()
    model = keras.Model(inputs, aimed(*inputs))
    aimed.kernel.assign(random(6, 3, 6))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    arrays = [image, features]
    assert_allclose(numpy(again(arrays)), numpy(model(arrays)), rtol=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="value must be a list of levels=2 images"):
        layers.DeformableAttention(2, levels=2)(QUERY, IMAGES[0], POINTS)
    with pytest.raises(ValueError, match="must be divisible by num_heads=3"):
        layers.DeformableAttention(3)(QUERY, IMAGES[0], POINTS)
    with pytest.raises(ValueError, match="query must have shape"):
        layers.DeformableAttention(2)(QUERY[0], IMAGES[0], POINTS)
    with pytest.raises(ValueError, match="normalizer must work row by row"):
        layers.DeformableAttention(2, normalizer="slot")
