"""Weights of chosen rows are those of the whole, and cost no more than their share."""

from unittest import mock

import keras
import numpy as np
import pytest

import regard
from regard import layers
from regard.core import attend as engine

RNG = np.random.default_rng(4)
QUERIES, KEYS, ROWS = 6, 8, [4, -6, 3]
QUERY = RNG.normal(size=(2, QUERIES, 5)).astype("float32")
VALUE = RNG.normal(size=(2, KEYS, 5)).astype("float32")
DOCUMENTS = np.array([[0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 1, 1, 1, 1, 1, 1]], "int32")
CALLS = {
    "pairs": {"attention_mask": RNG.random((QUERIES, KEYS)) > 0.4},
    "heads": {"attention_mask": RNG.random((2, 4, QUERIES, KEYS)) > 0.4},
    "one row for all": {"attention_mask": RNG.random((2, 1, KEYS)) > 0.4},
    "by index": {"attention_mask": regard.Causal(0)},
    "documents": {"attention_mask": regard.Documents(DOCUMENTS)},
    "bias": {"bias": RNG.normal(size=(1, 4, QUERIES, KEYS)).astype("float32")},
    "causal": {"use_causal_mask": True, "value_mask": RNG.random((2, KEYS)) > 0.3},
    "places": {
        "use_causal_mask": True,
        "query_positions": np.array([[0, 2, 4, 6, 8, 9]] * 2),
        "key_positions": np.arange(KEYS)[::-1].copy(),
        "query_mask": RNG.random((2, QUERIES)) > 0.3,
    },
}


def layer(**options):
    made = layers.GroupedQueryAttention(
        4, 4, 2, scope=regard.Window(4, 2), position=regard.positions.RoPE(), **options
    )
    made(QUERY, VALUE)
    return made


@pytest.mark.parametrize("name", CALLS)
def test_rows_are_those_of_the_whole(name):
    made, options = layer(normalizer="sparsemax"), CALLS[name]
    _, whole = made(QUERY, VALUE, return_attention_scores=True, **options)
    whole = keras.ops.convert_to_numpy(whole)
    found = regard.weights_of(made, QUERY, VALUE, rows=ROWS, heads=[2, 0], **options)
    expected = whole[:, [2, 0]][:, :, ROWS]
    assert expected.max() > 0
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(found), expected, rtol=1e-5, atol=1e-6
    )


def test_half_precision_rounds_as_a_call_does():
    made = layer(dtype="mixed_bfloat16")
    _, whole = made(QUERY, VALUE, return_attention_scores=True)
    found = regard.weights_of(made, QUERY, VALUE, rows=ROWS)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    found, whole = (keras.ops.cast(each, "float32") for each in (found, whole))
    found, whole = map(keras.ops.convert_to_numpy, (found, whole))
    np.testing.assert_allclose(found, whole[:, :, ROWS], atol=1e-2)


def test_nothing_is_made_for_other_rows():
    made, shapes = layers.MultiHeadAttention(2, 3), []
    made(QUERY)

    plain = engine.dense

    def watched(*tensors):
        found = plain(*tensors)
        shapes.append(tuple(found["scores"].shape))
        return found

    with mock.patch.object(engine, "dense", watched):
        regard.weights_of(made, np.zeros((1, 3000, 5), "float32"), rows=[1, 2999])
    assert shapes == [(1, 2, 2, 3000)]


@pytest.mark.parametrize("rows", [[6], [-7], [0.5], [], [[0]]])
def test_rows_that_do_not_exist_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows must be (integers from -6 to 5|whole)"):
        regard.weights_of(layer(), QUERY, VALUE, rows=rows)


def test_layers_without_rows_of_their_own_are_refused():
    with pytest.raises(ValueError, match="layer must be an attention over a memory"):
        regard.weights_of(layers.MonotonicAttention(3), QUERY, VALUE, rows=0)
    with pytest.raises(ValueError, match="must be built"):
        regard.weights_of(layers.DotAttention(), QUERY, VALUE, rows=0)
    made = layers.DotAttention(normalizer="slot")
    made(QUERY, VALUE)
    with pytest.raises(ValueError, match="row by row"):
        regard.weights_of(made, QUERY, VALUE, rows=0)
    with pytest.raises(ValueError, match="heads must be integers from -4 to 3"):
        regard.weights_of(layer(), QUERY, VALUE, rows=0, heads=4)
