"""How many queries of a forgetting attention read at once, and what then comes out."""

import numpy as np
import pytest

from regard import layers
from regard.layers.linear import forgetting_attention as module

X = np.random.default_rng(1).normal(size=(2, 7, 4)).astype("float32")


@pytest.mark.parametrize("size", [1, 3, 50])
def test_queries_read_in_chunks_of_the_size_that_was_asked_for(size, monkeypatch):
    at_once = layers.ForgettingAttention(2, 3)
    in_chunks = layers.ForgettingAttention(2, 3, chunk_size=size)
    expected = np.asarray(at_once.trace(X).output)
    in_chunks(X)
    in_chunks.set_weights(at_once.get_weights())
    asked = []

    def noting(rows, *arguments):
        asked.append(rows)
        return read(rows, *arguments)

    read = module.by_rows
    monkeypatch.setattr(module, "by_rows", noting)
    found = in_chunks.trace(X)
    np.testing.assert_allclose(found.output, expected, atol=1e-5)
    np.testing.assert_allclose(found.weights, at_once.trace(X).weights, atol=1e-6)
    assert set(asked) == {min(size, X.shape[1])}
