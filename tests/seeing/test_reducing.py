"""Rows, heads and outlines of weights, which are never made whole."""

from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard import layers
from regard.seeing import outlining, reducing

RNG = np.random.default_rng(1)
X = RNG.normal(size=(2, 21, 8)).astype("float32")
KEEP = np.arange(21) < np.array([[21], [13]])
MAKE = {
    "ours": lambda: layers.MultiHeadAttention(2, 4),
    "banded": lambda: layers.MultiHeadAttention(2, 4, scope=regard.Window(3)),
    "additive": lambda: layers.AdditiveAttention(5),
    "slots": lambda: layers.DotAttention(normalizer="slot"),
    "keras": lambda: keras.layers.MultiHeadAttention(2, 4),
    "groups": lambda: keras.layers.GroupQueryAttention(4, 4, 2),
    "single": lambda: _Single(),
}


class _Single(keras.layers.Layer):
    """Keras' Attention, called as the others are."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Attention()

    def call(self, query, value, value_mask=None, use_causal_mask=False):
        mask = [None, value_mask]
        return self.inner([query, value], mask, use_causal_mask=use_causal_mask)


def seen(layer, **options):
    maps = regard.attend_to(
        layer, X, X, value_mask=KEEP, use_causal_mask=True, **options
    )
    (calls,) = maps.values()
    return calls[-1]


@pytest.mark.parametrize("name", MAKE)
def test_rows_and_heads_are_those_of_the_whole(name):
    layer = MAKE[name]()
    whole = seen(layer)
    part = seen(layer, rows=[3, -1, 99], heads=0)
    assert_array_equal(part.extra["rows"], [3, 20])
    assert_allclose(part.weights, whole.weights[:, :1, [3, 20]], atol=1e-6)
    assert_allclose(part.scores, whole.scores[:, :1, [3, 20]], atol=1e-5)
    mask = np.broadcast_to(whole.mask, whole.weights.shape)[:, :1, [3, 20]]
    assert_array_equal(np.broadcast_to(part.mask, part.weights.shape), mask)
    assert_array_equal(part.extra["heads"], [0])
    assert_allclose(part.context, whole.context[:, :1, [3, 20]], atol=1e-6)
    if whole.query is not None:
        assert_allclose(part.query, whole.query[:, :1, [3, 20]], atol=1e-6)
        assert_allclose(part.key, whole.key[:, :1], atol=1e-6)
    for cause, each in whole.masks.items():
        each = np.broadcast_to(each, whole.weights.shape)[:, :1, [3, 20]]
        assert_array_equal(np.broadcast_to(part.masks[cause], each.shape), each)


@pytest.mark.parametrize("name", MAKE)
def test_an_outline_is_that_of_the_whole(name):
    layer = MAKE[name]()
    whole = seen(layer)
    with (
        mock.patch.multiple(reducing, LARGEST=10, BLOCK=700),
        mock.patch.multiple(outlining, CELLS=6, TOP=3),
    ):
        trace = seen(layer)
        assert_allclose(seen(layer, whole=True).weights, whole.weights, atol=1e-6)
    assert trace.weights is None and trace.scores is None
    assert trace.query is None and trace.value is None and trace.context is not None
    weights, found = whole.weights.astype("float64"), trace.extra
    assert_allclose(found["received"], weights.sum(2), atol=1e-5)
    safe = np.where(weights > 0, weights, 1)
    assert_allclose(found["entropy"], -(weights * np.log(safe)).sum(-1), atol=1e-5)
    mask = np.broadcast_to(whole.mask, weights.shape)
    assert_array_equal(found["visible"], mask.sum(-1))
    assert_allclose(found["top_weights"], -np.sort(-weights)[..., :3], atol=1e-6)
    picked = np.take_along_axis(weights, found["top_keys"].astype(int), -1)
    assert_allclose(picked, found["top_weights"], atol=1e-6)
    cells = [slice(i, i + 4) for i in range(0, 21, 4)]
    for name, pool in (("largest", np.max), ("mean", np.mean)):
        expected = [[pool(weights[..., r, c], (2, 3)) for c in cells] for r in cells]
        expected = np.moveaxis(expected, (0, 1), (2, 3))
        assert_allclose(found[name], expected, atol=1e-6, err_msg=name)


def test_rows_of_layers_that_have_no_memory_of_pairs():
    decoder = layers.AttentionPooling()
    maps = regard.attend_to(decoder, X, rows=0)
    assert maps[decoder.path].weights.shape == (2, 1, 1, 21)


@pytest.mark.parametrize("wrong", ["first", 1.5, [[0]]])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(ValueError, match="rows must be whole numbers"):
        regard.attend_to(MAKE["ours"](), X, rows=wrong)


def test_what_is_kept_of_a_block_lies_outside_the_backend():
    table = ops.convert_to_tensor(RNG.random((1, 2, 9, 5)).astype("float32"))

    def look(numbers):
        rows = ops.take(table, numbers, axis=2)
        return {"weights": rows, "mask": rows > 0}

    for array in outlining.outline(look, 9, 4).values():
        assert not isinstance(array, np.ndarray) or array.base is None
    found = outlining.outline(look, 9, 4)["top_weights"]
    assert isinstance(found, np.ndarray)
    assert_array_equal(found, np.sort(ops.convert_to_numpy(table))[..., ::-1])


def test_what_a_layer_shows_of_its_own_stands_beside_rows_and_outlines():
    layer = layers.MemorizingAttention(2, 4)
    layer(X, X)
    keys, values = layer.entries(X)
    far = {"memory_key": keys, "memory_value": values}
    rows = regard.attend_to(layer, X, X, rows=[2], **far)[layer.path][0]
    assert {"gate", "far", "rows"} == set(rows.extra)
    with mock.patch.object(reducing, "LARGEST", 10):
        outlined = regard.attend_to(layer, X, X, **far)[layer.path][0]
    assert {"gate", "entropy", "received"} <= set(outlined.extra)


def test_heads_come_with_their_keys():
    layer = MAKE["groups"]()
    whole, part = seen(layer), seen(layer, heads=[3, 0, 9, -2])
    assert_array_equal(part.extra["heads"], [3, 0, 2])
    assert_allclose(part.value, whole.value[:, [3, 0, 2]], atol=1e-6)
    assert_allclose(part.weights @ part.value, part.context, atol=1e-5)
    assert "rows" not in part.extra and part.query.shape[1:3] == (3, 21)
    with mock.patch.object(reducing, "LARGEST", 10):
        outlined = seen(layer, heads=[3, 0])
    assert_array_equal(outlined.extra["heads"], [3, 0])
    assert outlined.extra["entropy"].shape[1] == outlined.context.shape[1] == 2


@pytest.mark.parametrize("name", ["additive", "slots", "keras", "single"])
def test_heads_and_rows_that_a_layer_does_not_have_leave_nothing(name):
    part = seen(MAKE[name](), rows=[99], heads=[7])
    assert part.weights.shape == (2, 0, 0, 21)
    assert part.extra["rows"].size == part.extra["heads"].size == 0


def test_heads_come_with_the_keys_of_their_group():
    arrays = {"query": np.zeros((2, 4, 3, 5)), "value": RNG.normal(size=(2, 2, 7, 5))}
    found = reducing.Reduction(heads=(3, 0, 2)).cut(arrays)
    assert_array_equal(found["value"], arrays["value"][:, [1, 0, 1]])
    shared = {**arrays, "value": arrays["value"][:, :1]}
    found = reducing.Reduction(heads=(3, 0, 2)).cut(shared)
    assert_array_equal(found["value"], shared["value"])
