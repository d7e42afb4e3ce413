"""Recurrences in segments are the recurrences, with their states and gradients."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from regard import layers
from regard.core.limits import limits
from regard.core.scans import segments
from tests.conformance.gradients import gradients

LAYERS = {
    "causal_linear": lambda: layers.CausalLinearAttention(2, 4),
    "retention": lambda: layers.Retention(2, 4, chunk_size=4),
    "gated_linear": lambda: layers.GatedLinearAttention(2, 4, chunk_size=4),
    "delta": lambda: layers.DeltaAttention(2, 4, chunk_size=4),
    "gated_delta": lambda: layers.GatedDeltaAttention(2, 4, chunk_size=4),
}


def with_segments(monkeypatch, size):
    """Segments of so many bytes, on every backend."""
    known = replace(limits(), segment=size)
    monkeypatch.setattr(segments, "limits", lambda: known)


@pytest.mark.parametrize("name", LAYERS)
def test_segments_change_nothing(name, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 150, 6)).astype("float32")
    layer = LAYERS[name]()
    layer(x)
    upstream = rng.normal(size=(2, 150, 6)).astype("float32")

    def loss(inputs, upstream):
        return keras.ops.sum(layer(inputs) * upstream)

    found = []
    for limit in (1 << 30, 1 << 12):
        with_segments(monkeypatch, limit)
        found.append(gradients(layer, loss, {"inputs": x}, {"upstream": upstream}))
    (value, inputs, weights), (again, inputs_again, weights_again) = found
    np.testing.assert_allclose(again, value, rtol=1e-4)
    np.testing.assert_allclose(
        inputs_again["inputs"], inputs["inputs"], rtol=2e-3, atol=2e-4
    )
    for path in weights:
        np.testing.assert_allclose(
            weights_again[path], weights[path], rtol=2e-3, atol=2e-3, err_msg=path
        )


def test_a_segment_is_whole_chunks_and_there_are_few(monkeypatch):
    with_segments(monkeypatch, 1 << 12)
    query = keras.ops.zeros((2, 2, 150, 4))
    size = segments.segment(query, query, 4)
    assert size % 4 == 0
    assert -(-150 // size) <= segments.MOST
    with_segments(monkeypatch, 1 << 24)
    assert segments.segment(query, query, 4) is None
