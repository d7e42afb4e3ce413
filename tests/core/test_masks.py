"""The algebra of scopes against plain Python, and the checks of callers' masks."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given

from regard.core import masks
from regard.core.scopes import (
    Both,
    Causal,
    Either,
    Grid,
    Inverse,
    Padding,
    Prefix,
    Window,
)
from tests.core.strategies import moderate, scopes

QUERIES, KEYS = 3, 6


def dense(scope, queries=QUERIES, keys=KEYS):
    return keras.ops.convert_to_numpy(scope.dense(queries, keys))


def sees(scope, row, column):
    """The definition, one pair at a time; queries are the last of the positions."""
    here = row + KEYS - QUERIES
    match scope:
        case Causal(offset=None):
            return column <= here
        case Causal():
            return column <= row + scope.offset
        case Window():
            return here - scope.left <= column <= here + scope.right
        case Prefix():
            return column < scope.length
        case Both():
            return sees(scope.left, row, column) and sees(scope.right, row, column)
        case Either():
            return sees(scope.left, row, column) or sees(scope.right, row, column)
        case Inverse():
            return not sees(scope.scope, row, column)
    raise AssertionError(f"no definition for {scope!r}")


@moderate
@given(scopes())
def test_dense_is_the_definition_pair_by_pair(scope):
    table = [[sees(scope, i, j) for j in range(KEYS)] for i in range(QUERIES)]
    np.testing.assert_array_equal(dense(scope), table)


@moderate
@given(scopes(), scopes())
def test_de_morgan(left, right):
    np.testing.assert_array_equal(dense(~(left & right)), dense(~left | ~right))
    np.testing.assert_array_equal(dense(~~left), dense(left))


@moderate
@given(scopes())
def test_band_holds_every_visible_pair(scope):
    left, right = scope.band()
    for i, j in np.argwhere(dense(scope)):
        assert -right <= i + KEYS - QUERIES - j <= left


@moderate
@given(scopes())
def test_expression_survives_json(scope):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(scope)))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded == scope and hash(loaded) == hash(scope)
    np.testing.assert_array_equal(dense(loaded), dense(scope))


def test_operators_read_as_they_are_written():
    assert repr(~(Window(3) | Prefix(2)) & Causal()) == (
        "(~(Window(left=3, right=0) | Prefix(length=2)) & Causal(offset=None))"
    )


@pytest.mark.parametrize("left, right", [(0, 0), (2, 0), (1, 2), (63, 0)])
def test_a_window_shows_exactly_the_keys_it_says(left, right):
    counts = dense(Window(left, right), 200, 200).sum(-1)
    assert counts[100] == left + 1 + right


def test_causal_is_bottom_right_and_offset_zero_is_top_left():
    np.testing.assert_array_equal(dense(Causal(), 1, 5), [[1, 1, 1, 1, 1]])
    np.testing.assert_array_equal(dense(Causal(offset=0), 1, 5), [[1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(dense(Causal(), 2, 3), [[1, 1, 0], [1, 1, 1]])


def test_positions_of_the_call_replace_the_default_ones():
    grid = Grid.of(2, 3, np.array([0, 5]), np.array([4, 5, 6]))
    allowed = keras.ops.convert_to_numpy(Causal().allows(grid))
    np.testing.assert_array_equal(allowed, [[0, 0, 0], [1, 1, 0]])


def test_positions_may_differ_between_examples():
    places = np.array([[0, 1, 2], [2, 1, 0]])
    grid = Grid.of(1, 3, np.array([[1], [1]]), places)
    allowed = keras.ops.convert_to_numpy(Causal().allows(grid))
    np.testing.assert_array_equal(allowed, [[[1, 1, 0]], [[0, 1, 1]]])


def test_padding_from_lengths_is_padding_from_a_mask():
    keep = np.arange(KEYS) < np.array([[2], [0], [6]])
    lengths = dense(Padding(np.array([2, 0, 6], "int32")))
    np.testing.assert_array_equal(lengths, dense(Padding(keep)))
    np.testing.assert_array_equal(lengths[:, 0], keep)
    assert not Padding(keep).static and not (Causal() & Padding(keep)).static


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Window(-1), "left must be an integer of at least 0. Got -1"),
        (lambda: Window(2.0), "left must be an integer"),
        (lambda: Window(1, right=True), "right must be an integer"),
        (lambda: Prefix(-2), "length must be an integer of at least 0"),
        (lambda: Causal(offset=0.5), "offset must be an integer"),
        (lambda: Causal() & np.ones((2, 2), bool), "the right side of & must be"),
        (lambda: Causal() | True, r"the right side of \| must be a scope"),
        (lambda: Padding(np.ones((2, 3), "float32")), "keep must be integer lengths"),
    ],
)
def test_a_wrong_scope_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("kind", ["bool", "int32", "uint8", "int64"])
def test_zero_and_one_are_false_and_true(kind):
    mask = np.array([[1, 0, 1]], kind)
    found = keras.ops.convert_to_numpy(masks.boolean_mask(mask, "value_mask"))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, [[True, False, True]])


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_a_float_mask_is_refused(kind):
    with pytest.raises(ValueError, match=r"value_mask must be boolean.*Got float"):
        masks.boolean_mask(np.array([[0.0, -1e4]], kind), "value_mask")


def test_three_axes_are_batch_first():
    mask = np.zeros((2, 3, 5), bool)
    assert masks.pair_mask(mask, "attention_mask", (2, 2, 3, 5)).shape == (2, 1, 3, 5)
    with pytest.raises(ValueError, match="attention_mask must have shape"):
        masks.pair_mask(mask, "attention_mask", (4, 2, 3, 5))


@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 4), (3, 3, 5), (2, 4, 3, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"Got \("):
        masks.pair_mask(np.zeros(shape, bool), "attention_mask", (2, 2, 3, 5))
