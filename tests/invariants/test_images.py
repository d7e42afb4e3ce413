"""V: images and grids."""

import numpy as np
from keras.ops import convert_to_tensor as tensor
from numpy.testing import assert_allclose

from regard import layers
from regard.core.grids import pair_grid
from regard.core.sampling import deformable
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


def test_v06_pervasive_targets_see_no_later_ones():
    query, value = random(4, 2, 8, 3), random(5, 2, 6, 4)
    for kind in ("dense", "residual"):
        layer = layers.PervasiveAttention(3, depth=3, kernel_size=5, kind=kind)
        randomized(layer, query, value)
        before = numpy(layer(query, value))
        later = np.concatenate([query[:, :5], 9 * query[:, 5:]], axis=1)
        after = numpy(layer(later, value))
        assert_allclose(after[:, :5], before[:, :5], rtol=1e-6, atol=1e-6)
        assert np.abs(after[:, 5:] - before[:, 5:]).max() > 1e-2
        earlier = np.concatenate([9 * query[:, :1], query[:, 1:]], axis=1)
        after = numpy(layer(earlier, value))
        assert np.abs(after[:, 1:] - before[:, 1:]).max() > 1e-3


def test_v07_one_cell_with_tanh_and_softmax_is_additive_attention():
    query, value = random(6, 2, 3, 4), random(7, 2, 5, 6)
    additive = randomized(layers.AdditiveAttention(8), query, value)
    grid = numpy(pair_grid(query, value))
    layer = layers.GridAttention(8, "tanh")
    layer(grid)
    both = [numpy(w.value) for w in additive.weights if w.name != "score_vector"]
    by_rows = {len(kernel): kernel for kernel in both}
    layer.hidden.kernel.assign(np.concatenate([by_rows[4], by_rows[6]]))
    vector = next(w for w in additive.weights if w.name == "score_vector")
    layer.score.kernel.assign(numpy(vector.value)[:, None])
    context, weights = read(layer, grid)
    expected, maps = read(additive, query, value)
    assert_allclose(weights, maps, rtol=1e-4, atol=1e-6)
    assert_allclose(context[..., 4:], expected, rtol=1e-4, atol=1e-5)
    assert_allclose(context[..., :4], query, rtol=1e-4, atol=1e-5)


def test_v04_no_offset_and_whole_places_gather_pixels():
    image = random(8, 2, 4, 5, 2, 3)  # two heads
    order = np.random.default_rng(9)
    rows, columns = order.integers(0, 4, (2, 7, 2)), order.integers(0, 5, (2, 7, 2))
    places = np.stack([(columns + 0.5) / 5, (rows + 0.5) / 4], axis=-1)
    places = places[:, :, :, None, None].astype("float32")
    weights = np.ones(places.shape[:-1], "float32")
    found = numpy(deformable([tensor(image)], tensor(places), tensor(weights)))
    for b, i, h in np.ndindex(2, 7, 2):
        expected = image[b, rows[b, i, h], columns[b, i, h], h]
        assert_allclose(found[b, i, h], expected, rtol=1e-4, atol=1e-5)


def test_v04_a_spatial_transformer_starts_as_the_identity():
    for aligned in (False, True):
        layer = layers.SpatialTransformer(align_corners=aligned)
        assert_allclose(numpy(layer(IMAGE)), IMAGE, rtol=1e-4, atol=1e-5)


def test_v05_all_places_with_softmax_weights_are_full_attention():
    query, image = random(10, 2, 3, 4), random(11, 2, 2, 3, 4)
    pixels = image.reshape(2, 6, 4)
    expected, maps = read(layers.DotAttention(), query, pixels)
    rows, columns = np.divmod(np.arange(6), 3)
    every = np.stack([(columns + 0.5) / 3, (rows + 0.5) / 2], axis=-1)
    places = np.broadcast_to(every, (2, 3, 1, 1, 6, 2)).astype("float32")
    weights = maps[:, :, None, None]
    levels = [tensor(image[:, :, :, None])]
    found = numpy(deformable(levels, tensor(places), tensor(weights)))
    assert_allclose(found[:, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_v03_axial_attention_on_one_line_is_attention():
    line = random(12, 2, 1, 5, 6)
    layer = randomized(layers.AxialAttention(2, 3), line)
    upright, along = layer.attentions
    # A column of one pixel reads itself: make that the identity.
    eye = np.zeros((6, 2, 3), "float32")
    eye.reshape(6, 6)[:] = np.eye(6)
    upright.value_dense.kernel.assign(eye)
    upright.value_dense.bias.assign(np.zeros((2, 3)))
    upright.output_dense.kernel.assign(np.transpose(eye, (1, 2, 0)))
    upright.output_dense.bias.assign(np.zeros(6))
    expected = numpy(along(line[:, 0]))
    assert_allclose(numpy(layer(line))[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_v03_two_axes_reach_every_pixel():
    layer = randomized(layers.AxialAttention(2, 3), IMAGE)
    single = layers.AxialAttention(2, 3, axes=("width",))
    randomized(single, IMAGE)
    changed = IMAGE.copy()
    changed[:, 0, 0] += 2.0
    moved = np.abs(numpy(layer(changed)) - numpy(layer(IMAGE))).max(axis=(0, -1))
    assert (moved > 1e-6).all()
    moved = np.abs(numpy(single(changed)) - numpy(single(IMAGE))).max(axis=(0, -1))
    assert (moved[0] > 1e-6).all() and (moved[1:] == 0).all()


def test_m07_one_window_is_full_attention():
    layer = randomized(layers.ShiftedWindowAttention(2, (3, 4)), IMAGE)
    found = numpy(layer(IMAGE)).reshape(2, 12, 6)
    expected = numpy(layer.attention(IMAGE.reshape(2, 12, 6)))
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    smaller = layers.ShiftedWindowAttention(2, (3, 2))
    randomized(smaller, IMAGE)
    assert numpy(smaller(IMAGE)).shape == IMAGE.shape
    assert np.abs(numpy(smaller(IMAGE)) - numpy(layer(IMAGE))).max() > 1e-2


def test_r16_the_bias_of_a_window_depends_on_the_distance_alone():
    layer = layers.ShiftedWindowAttention(2, (2, 3), key_dim=3)
    randomized(layer, IMAGE)
    for name in ("query_dense", "key_dense"):  # all scores 0: the bias alone
        dense = getattr(layer.attention, name)
        dense.kernel.assign(np.zeros(dense.kernel.shape))
        dense.bias.assign(np.zeros(dense.bias.shape))
    _, weights = read(layer, IMAGE[:, :2, :3])
    bias = np.log(weights[0, 0, 0])
    ways = [[(i // 3 - j // 3, i % 3 - j % 3) for j in range(6)] for i in range(6)]
    seen = {}
    for i, j, k in np.ndindex(6, 6, 6):  # differences: softmax's own shift cancels
        found = seen.setdefault((ways[i][j], ways[i][k]), [])
        found.append(bias[i, j] - bias[i, k])
    assert max(map(len, seen.values())) > 1
    for found in seen.values():
        assert_allclose(found, found[0], rtol=1e-3, atol=1e-4)
