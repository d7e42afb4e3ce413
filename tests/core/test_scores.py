"""Every compatibility function against a loop over pairs."""

import keras
import numpy as np
import pytest

from regard.core import scores

RNG = np.random.default_rng(5)
QUERY = RNG.normal(size=(2, 3, 4, 6)).astype("float32")  # (B, H, T, D)
KEY = RNG.normal(size=(2, 3, 5, 6)).astype("float32")  # (B, H, S, D)
VECTOR = RNG.normal(size=6).astype("float32")


def pairs(function):
    """function(q, k) for every pair of vectors, in float64."""
    table = np.zeros((2, 3, 4, 5))
    for b, h, i, j in np.ndindex(*table.shape):
        q, k = QUERY[b, h, i].astype("float64"), KEY[b, h, j].astype("float64")
        table[b, h, i, j] = function(q, k)
    return table


def cosine(q, k):
    return q @ k / (np.linalg.norm(q) * np.linalg.norm(k))


CASES = {
    "dot": (lambda q, k: scores.dot(q, k), lambda q, k: q @ k),
    "scaled_dot": (lambda q, k: scores.scaled_dot(q, k, 0.3), lambda q, k: 0.3 * q @ k),
    "additive": (
        lambda q, k: scores.additive(q, k, keras.ops.convert_to_tensor(VECTOR)),
        lambda q, k: VECTOR @ np.tanh(q + k),
    ),
    "cosine": (lambda q, k: scores.cosine(q, k, 2.5), lambda q, k: 2.5 * cosine(q, k)),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_the_loop(name):
    ours, loop = CASES[name]
    query, key = keras.ops.convert_to_tensor(QUERY), keras.ops.convert_to_tensor(KEY)
    found = keras.ops.convert_to_numpy(ours(query, key))
    np.testing.assert_allclose(found, pairs(loop), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_is_widened_before_the_product(name, kind):
    ours, _ = CASES[name]
    query = keras.ops.cast(keras.ops.convert_to_tensor(QUERY * 200), kind)
    key = keras.ops.cast(keras.ops.convert_to_tensor(KEY * 200), kind)
    found = ours(query, key)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    found = keras.ops.convert_to_numpy(found)
    assert np.isfinite(found).all()
    wide = ours(keras.ops.cast(query, "float32"), keras.ops.cast(key, "float32"))
    np.testing.assert_array_equal(found, keras.ops.convert_to_numpy(wide))


def test_location_reads_the_place_and_not_the_key():
    logits = keras.ops.convert_to_tensor(RNG.normal(size=(2, 1, 4, 9)))
    for length in (1, 5, 9):
        key = keras.ops.zeros((2, 1, length, 6))
        found = scores.location(logits, key)
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(found),
            keras.ops.convert_to_numpy(logits)[..., :length],
        )


def test_a_zero_vector_has_cosine_zero():
    zero = keras.ops.zeros((1, 1, 1, 6))
    found = scores.cosine(zero, keras.ops.convert_to_tensor(KEY[:1, :1]), 2.5)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(found), np.zeros((1, 1, 1, 5))
    )


def test_cosine_ignores_lengths():
    query, key = keras.ops.convert_to_tensor(QUERY), keras.ops.convert_to_tensor(KEY)
    found = keras.ops.convert_to_numpy(scores.cosine(query * 37.0, key * 0.01, 1.0))
    np.testing.assert_allclose(found, pairs(cosine), atol=1e-5)
    assert np.abs(found).max() <= 1 + 1e-6
