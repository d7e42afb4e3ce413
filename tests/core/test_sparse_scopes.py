"""Sparse scopes against their definitions, pair by pair."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from regard import layers
from regard.core.scopes import (
    Blocks,
    Causal,
    Dilated,
    Documents,
    Everywhere,
    Neighbourhood,
    Strided,
    Window,
    big_bird,
)

LENGTH = 9
LAYOUT = [[1, 0, 1], [0, 1, 0], [1, 1, 0]]
CASES = {
    "dilated": (
        Dilated(2, 1, step=2),
        lambda i, j: i - j in (0, 2, 4) or i - j == -2,
    ),
    "strided": (
        Strided(3),
        lambda i, j: i >= j and (i - j < 3 or (i - j) % 3 == 0),
    ),
    "neighbourhood": (
        Neighbourhood(5),
        lambda i, j: 0 <= j - min(max(i - 2, 0), LENGTH - 5) < 5,
    ),
    "everywhere": (Everywhere([0, 4]), lambda i, j: i in (0, 4) or j in (0, 4)),
    "blocks": (Blocks(LAYOUT, 3), lambda i, j: bool(LAYOUT[i // 3][j // 3])),
    "longformer": (
        Window(1, 1) | Everywhere([0]),
        lambda i, j: abs(i - j) <= 1 or 0 in (i, j),
    ),
    "sparse_causal": (
        Causal() & ~Blocks(LAYOUT, 3),
        lambda i, j: j <= i and not LAYOUT[i // 3][j // 3],
    ),
}
every_case = pytest.mark.parametrize("name", CASES)


def dense(scope, *lengths):
    return ops.convert_to_numpy(scope.dense(*lengths))


@every_case
def test_allows_what_its_definition_says(name):
    scope, allowed = CASES[name]
    places = range(LENGTH)
    expected = np.array([[allowed(i, j) for j in places] for i in places])
    np.testing.assert_array_equal(dense(scope, LENGTH), expected)


@every_case
def test_fewer_queries_are_the_last_rows(name):
    scope, _ = CASES[name]
    np.testing.assert_array_equal(dense(scope, 4, LENGTH), dense(scope, LENGTH)[-4:])


@every_case
def test_survives_its_configuration(name):
    scope, _ = CASES[name]
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(scope)))
    again = keras.saving.deserialize_keras_object(written)
    assert again == scope
    np.testing.assert_array_equal(dense(again, LENGTH), dense(scope, LENGTH))


@every_case
def test_a_layer_attends_there_and_nowhere_else(name):
    scope, _ = CASES[name]
    inputs = np.random.default_rng(1).normal(size=(2, LENGTH, 4)).astype("float32")
    layer = layers.ScaledDotAttention(scope=scope)
    _, weights = layer(inputs, return_attention_scores=True)
    seen = ops.convert_to_numpy(weights) > 0
    np.testing.assert_array_equal(
        seen, np.broadcast_to(dense(scope, LENGTH), seen.shape)
    )


def test_a_neighbourhood_sees_the_same_number_of_keys_everywhere():
    counts = dense(Neighbourhood(4), LENGTH).sum(-1)
    assert set(counts) == {4}
    assert set(dense(Neighbourhood(40), LENGTH).sum(-1)) == {LENGTH}


def test_documents_keep_packed_sequences_apart():
    numbers = np.array([[0, 0, 1, 1, 1], [3, 3, 3, 4, 5]])
    packed = dense(Documents(numbers) & Causal(), 5)
    for b, i, j in np.ndindex(2, 5, 5):
        assert packed[b, i, j] == (numbers[b, i] == numbers[b, j] and j <= i)
    inputs = np.random.default_rng(2).normal(size=(2, 5, 4)).astype("float32")
    layer = layers.DotAttention()
    together = ops.convert_to_numpy(layer(inputs, attention_mask=Documents(numbers)))
    alone = ops.convert_to_numpy(layer(inputs[:1, 2:]))
    np.testing.assert_allclose(together[0, 2:], alone[0], rtol=1e-5, atol=1e-6)


def test_big_bird_sees_neighbours_ends_and_as_many_others_as_asked():
    layout = big_bird(160, size=16, window=1, random=2, seed=3).layout
    inner = layout[3:-3].sum(-1)
    assert set(inner) == {3 + 2 + 2}
    assert layout[[0, -1]].all() and layout[:, [0, -1]].all()
    assert big_bird(160, 16, 1, 2, seed=3) == big_bird(160, 16, 1, 2, seed=3)
    assert big_bird(160, 16, 1, 2, seed=4) != big_bird(160, 16, 1, 2, seed=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dilated(1, step=0), "step must be an integer"),
        (lambda: Strided(0), "length must be an integer"),
        (lambda: Blocks([1, 0], 2), "layout must be a matrix"),
        (lambda: Everywhere([-1]), "positions must be an integer"),
        (lambda: Documents(np.zeros((2,), "int32")), "documents must be integers"),
    ],
)
def test_options_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_data_cannot_be_built_into_a_layer():
    scope = Documents(np.zeros((1, 3), "int32"))
    with pytest.raises(ValueError, match="scope must not hold data"):
        layers.DotAttention(scope=scope)
