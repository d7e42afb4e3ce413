"""V: images and grids."""

import numpy as np
from numpy.testing import assert_allclose

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read

IMAGE = random(1, 2, 3, 4, 6)


def shuffled(image, seed=3):
    """The pixels of every image in another order."""
    batch, height, width, channels = image.shape
    order = np.random.default_rng(seed).permutation(height * width)
    return image.reshape(batch, -1, channels)[:, order].reshape(image.shape)


def test_v01_squeeze_excitation_sees_no_order_of_pixels():
    layer = randomized(layers.SqueezeExcitation(ratio=2), IMAGE)
    _, gate = read(layer, IMAGE)
    _, again = read(layer, shuffled(IMAGE))
    assert_allclose(again, gate, rtol=1e-5, atol=1e-6)
    layer.excite.kernel.assign(np.zeros(layer.excite.kernel.shape))
    output, gate = read(layer, IMAGE)
    assert_allclose(gate, 0.5)
    assert_allclose(output, IMAGE / 2)


def test_v01_the_spatial_gate_does_see_the_order():
    layer = randomized(layers.SpatialGate(kernel_size=3), IMAGE)
    _, gate = read(layer, IMAGE)
    _, again = read(layer, shuffled(IMAGE))
    assert np.abs(shuffled(gate) - again).max() > 1e-3


def test_v02_a_gain_of_zero_is_the_identity():
    for layer in (layers.SAGANAttention(ratio=2), layers.NonLocalAttention()):
        assert_allclose(numpy(layer(IMAGE)), IMAGE, rtol=0, atol=0)
        randomized(layer, IMAGE)
        assert np.abs(numpy(layer(IMAGE)) - IMAGE).max() > 1e-2


def test_v02_the_embedded_gaussian_is_self_attention_on_pixels():
    layer = randomized(layers.NonLocalAttention(units=3, use_bias=False), IMAGE)
    layer.gain.assign(np.ones(6))
    heads = layers.MultiHeadAttention(1, 3, use_bias=False)
    pixels = IMAGE.reshape(2, 12, 6)
    heads(pixels)
    # Heads divide by the root of their width, a non-local block does not.
    heads.query_dense.kernel.assign(
        numpy(layer.query.kernel.value)[:, None] * np.sqrt(3)
    )
    heads.key_dense.kernel.assign(numpy(layer.key.kernel.value)[:, None])
    heads.value_dense.kernel.assign(numpy(layer.value.kernel.value)[:, None])
    heads.output_dense.kernel.assign(numpy(layer.output_dense.kernel.value)[None])
    output, weights = read(layer, IMAGE)
    expected, maps = read(heads, pixels)
    assert_allclose((output - IMAGE).reshape(2, 12, 6), expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, maps[:, 0], rtol=1e-4, atol=1e-6)


def test_v02_the_softmax_runs_over_the_pixels_that_are_read():
    layer = randomized(layers.SAGANAttention(ratio=2), IMAGE)
    _, weights = read(layer, IMAGE)
    assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-5)
    assert np.abs(weights.sum(axis=-2) - 1).max() > 1e-2  # the common mistake
