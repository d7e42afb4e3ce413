"""Axes and windows of images: shapes, positions, models, wrong arguments."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import layers, positions
from tests.invariants.tools import numpy, random, randomized, read

IMAGE = random(1, 2, 4, 6, 8)


def test_axial_weights_come_one_map_an_axis():
    layer = randomized(layers.AxialAttention(2, 3), IMAGE)
    output, (columns, rows) = layer(IMAGE, return_attention_scores=True)
    assert output.shape == IMAGE.shape
    assert columns.shape == (2, 6, 2, 4, 4) and rows.shape == (2, 4, 2, 6, 6)
    spec = layer.compute_output_spec(
        keras.KerasTensor((None, 4, 6, 8)), return_attention_scores=True
    )
    assert [each.shape for each in spec[1]] == [
        (None, 6, 2, 4, 4),
        (None, 4, 2, 6, 6),
    ]
    trace = layer.trace(IMAGE)
    assert_allclose(trace.extra["height"], numpy(columns))


def test_each_axis_has_places_of_its_own():
    layer = layers.AxialAttention(2, 4, position=positions.T5Bias(8, 16))
    randomized(layer, IMAGE)
    names = [weight.path for weight in layer.weights]
    assert sum("relative_attention_bias" in name for name in names) == 2
    clone = layers.AxialAttention.from_config(layer.get_config())
    clone(IMAGE)
    clone.set_weights(layer.get_weights())
    assert_allclose(numpy(clone(IMAGE)), numpy(layer(IMAGE)), rtol=1e-6)


@pytest.mark.parametrize("shift", [0, 1])
def test_window_models_save_and_take_channels_first(shift, tmp_path):
    layer = layers.ShiftedWindowAttention(2, 3, shift)
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, layer(inputs))
    randomized(layer, IMAGE)
    expected = numpy(model(IMAGE))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(again(IMAGE)), expected, rtol=1e-6)
    first = layers.ShiftedWindowAttention(2, 3, shift, data_format="channels_first")
    turned = np.moveaxis(IMAGE, -1, 1)
    first(turned)
    first.set_weights(layer.get_weights())
    assert_allclose(
        np.moveaxis(numpy(first(turned)), 1, -1), expected, rtol=1e-5, atol=1e-6
    )


def test_the_roll_brings_no_strangers_together():
    """Changing one end of the image leaves the other end as it was."""
    layer = randomized(layers.ShiftedWindowAttention(2, 2, 1), IMAGE)
    changed = IMAGE.copy()
    changed[:, 0] += 3.0
    before, after = numpy(layer(IMAGE)), numpy(layer(changed))
    assert_allclose(after[:, 1:], before[:, 1:], rtol=1e-6, atol=1e-6)
    changed = IMAGE.copy()
    changed[:, 1] += 3.0  # in the same shifted window as row 2
    assert np.abs(numpy(layer(changed))[:, 2] - before[:, 2]).max() > 1e-2


def test_padding_up_to_whole_windows_is_not_seen():
    layer = randomized(layers.ShiftedWindowAttention(2, 5, 2), IMAGE)
    _, weights = read(layer, IMAGE)
    sums = weights.sum(axis=-1)
    assert set(np.unique(np.round(sums, 4))) == {0.0, 1.0}  # 0 for padded queries
    assert np.isclose(sums, 1).sum() == 2 * 2 * 4 * 6


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="axes must be a tuple"):
        layers.AxialAttention(2, 3, axes="width")
    with pytest.raises(ValueError, match="axes must be one of height, width"):
        layers.AxialAttention(2, 3, axes=("depth",))
    with pytest.raises(ValueError, match="shift must be less than the window"):
        layers.ShiftedWindowAttention(2, 3, 3)
    with pytest.raises(ValueError, match="window must be an integer of at least 1"):
        layers.ShiftedWindowAttention(2, 0)
    with pytest.raises(ValueError, match="divisible by num_heads=3"):
        layers.ShiftedWindowAttention(3, 2)(IMAGE)
