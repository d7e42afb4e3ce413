"""Captured maps are drawn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard
from regard import layers

pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib")

X = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")


def seen(**options):
    layer = layers.MultiHeadAttention(3, 3, name="heads")
    return regard.attend_to(layer, X, use_causal_mask=True, **options)


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def planes(figure):
    """What the pictures of the heads hold, and their titles."""
    drawn = [each for each in figure.axes if each.get_title()]
    pictures = [each.collections[0].get_array() for each in drawn]
    return np.ma.filled(np.stack(pictures), 0), [each.get_title() for each in drawn]


def test_the_heads_of_a_layer_are_drawn():
    maps = seen()
    found, titles = planes(maps.plot(example=1))
    assert titles == ["1", "2", "3"]
    assert_allclose(found, maps["heads"].weights[1], atol=1e-6)


def test_chosen_rows_and_heads_keep_their_names():
    maps = seen(rows=[3, 4], heads=[2])
    found, titles = planes(maps.plot("heads", list("abcde"), list("abcde")))
    assert titles == ["3"] and found.shape == (1, 2, 5)
    assert_allclose(found, maps["heads"].weights[0], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "match"), [({"example": 2}, "example"), ({"name": "other"}, "other")]
)
def test_what_is_not_there_is_refused(options, match):
    with pytest.raises((ValueError, KeyError), match=match):
        seen().plot(**options)
