"""Helpers about shapes: inverses, and mismatches only where sizes are known."""

import keras
import numpy as np
import pytest

from regard.core import shapes


def test_the_axis_of_heads_comes_and_goes():
    tensor = keras.ops.convert_to_tensor(np.arange(24.0).reshape(2, 3, 4))
    headed = shapes.with_head(tensor)
    assert tuple(headed.shape) == (2, 1, 3, 4)
    back = keras.ops.convert_to_numpy(shapes.without_head(headed))
    np.testing.assert_array_equal(back, keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize(
    "shape, expected, ones, wrong",
    [
        ((2, 5), (2, 5), (), False),
        ((2, 5), (2, 6), (), True),
        ((2, 5), (2, 5, 1), (), True),
        ((None, 5), (2, 5), (), False),
        ((2, None), (3, None), (), True),
        ((1, 5), (2, 5), (0,), False),
        ((1, 5), (2, 5), (), True),
        ((3, 5), (2, 5), (0,), True),
    ],
)
def test_only_known_sizes_can_differ(shape, expected, ones, wrong):
    assert shapes.mismatch(shape, expected, ones) is wrong


def test_static_means_python_integers():
    assert shapes.is_static(1, 2) and not shapes.is_static(1, None)


def test_sizes_are_known_where_the_shape_is():
    assert shapes.sizes_of(keras.ops.zeros((2, 3))) == (2, 3)
    assert shapes.rank_of(keras.ops.zeros((2, 3))) == 2
