"""Grids: padding of the source, targets that may be seen, wrong arguments."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Causal, Window, layers
from tests.conformance.compiled import at_once
from tests.invariants.tools import numpy, random, randomized, read

GRID = random(1, 2, 3, 5, 4)
KEEP = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)
READERS = {
    "max": lambda **options: layers.GridPooling("max", **options),
    "average": lambda **options: layers.GridPooling("average", **options),
    "gated": lambda **options: layers.GatedGridPooling(**options),
    "attention": lambda **options: layers.GridAttention(**options),
    "sparse": lambda **options: layers.GridAttention(
        3, "tanh", normalizer="sparsemax", **options
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_padding_of_the_source_takes_no_part(name):
    layer = randomized(READERS[name](), GRID)
    spoilt = np.where(KEEP[:, None, :, None], GRID, np.float32("nan"))
    output, weights = read(layer, spoilt, mask=KEEP)
    for b in range(2):
        short, shares = read(layer, GRID[b : b + 1, :, KEEP[b]])
        assert_allclose(output[b], short[0], rtol=1e-5, atol=1e-6)
        assert_allclose(weights[b][:, KEEP[b]], shares[0], rtol=1e-5, atol=1e-6)
        assert (weights[b][:, ~KEEP[b]] == 0).all()


@pytest.mark.parametrize("name", READERS)
def test_a_source_that_is_all_padding_gives_zeros(name):
    layer = randomized(READERS[name](), GRID)
    keep = KEEP.copy()
    keep[0] = False
    output, weights = read(layer, GRID, mask=keep)
    assert (output[0] == 0).all() and (weights[0] == 0).all()


@pytest.mark.parametrize("name", READERS)
def test_prefixes_are_readings_of_shorter_sources(name):
    layer = randomized(READERS[name](prefixes=True), GRID)
    whole = READERS[name]()
    whole.build(GRID.shape)
    whole.set_weights(layer.get_weights())
    output, weights = read(layer, GRID)
    for end in range(1, 6):
        short, shares = read(whole, GRID[:, :, :end])
        assert_allclose(output[:, :, end - 1], short, rtol=1e-5, atol=1e-6)
        assert_allclose(weights[:, :, end - 1, :end], shares, rtol=1e-5, atol=1e-6)


def test_the_wait_k_path_reads_k_sources_first():
    layer = randomized(layers.GridAttention(scope=Causal(offset=1)), GRID)
    _, weights = read(layer, GRID)
    assert ((weights > 0).sum(axis=-1) == [[2, 3, 4]] * 2).all()
    trace = layer.trace(GRID, mask=KEEP)
    assert set(trace.masks) == {"padding", "scope"}


def test_what_a_window_hides_of_a_grid_is_shown_as_a_window():
    layer = randomized(layers.GridAttention(scope=Window(1, 1)), GRID)
    near = layer.trace(GRID).masks["window"][0, :, 0]
    apart = np.subtract.outer(np.arange(3), np.arange(5))
    assert (near == (np.abs(apart) <= 1)).all()


def test_masked_targets_are_no_neighbours():
    """Padding on the left of the target is as if it were not there."""
    query, value = random(2, 2, 4, 3), random(3, 2, 5, 2)
    layer = randomized(layers.PervasiveAttention(3, kernel_size=5), query, value)
    keep = np.array([[False, False, True, True]] * 2)
    spoilt = np.where(keep[..., None], query, np.float32("nan"))
    output = numpy(layer(spoilt, value, query_mask=keep))
    expected = numpy(at_once(layer)(query[:, 2:], value))
    assert_allclose(output[:, 2:], expected, rtol=1e-5, atol=1e-5)
    assert (output[:, :2] == 0).all()


def test_a_reader_may_be_a_layer_of_its_own(tmp_path):
    """Without blocks and with a hidden layer and tanh: additive attention."""
    query, value = random(4, 2, 3, 4), random(5, 2, 5, 6)
    reader = layers.GridAttention(8, "tanh")
    layer = layers.PervasiveAttention(3, depth=0, reader=reader)
    additive = randomized(layers.AdditiveAttention(8), query, value)
    inputs = [keras.Input((None, 4)), keras.Input((None, 6))]
    model = keras.Model(inputs, layer(*inputs))
    kernels = {
        len(numpy(w.value)): numpy(w.value)
        for w in additive.weights
        if w.name != "score_vector"
    }
    vector = next(w for w in additive.weights if w.name == "score_vector")
    reader.hidden.kernel.assign(np.concatenate([kernels[4], kernels[6]]))
    reader.score.kernel.assign(numpy(vector.value)[:, None])
    expected = numpy(additive(query, value))
    assert_allclose(numpy(model([query, value]))[..., 4:], expected, rtol=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(again([query, value]))[..., 4:], expected, rtol=1e-4)
    with pytest.raises(ValueError, match="reader must give one reading a target"):
        layers.PervasiveAttention(3, reader=layers.GridPooling(prefixes=True))
    scoped = layers.GridAttention(scope=Causal(offset=1))
    with pytest.raises(ValueError, match="the reader must have no scope"):
        layers.PervasiveAttention(3, reader=scoped).prepare(value)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="inputs must be a grid"):
        layers.GridPooling()(GRID[0])
    with pytest.raises(ValueError, match="pool must be one of max, average"):
        layers.GridPooling("median")
    with pytest.raises(ValueError, match="mask must have shape"):
        layers.GridPooling()(GRID, mask=KEEP[:, :3])
    with pytest.raises(ValueError, match="normalizer must work on one row"):
        layers.GridAttention(normalizer="slot")
    for options, wrong in (
        ({"kernel_size": 4}, "kernel_size must be odd"),
        ({"depth": -1}, "depth must be 0"),
        ({"kind": "recurrent"}, "kind must be one of"),
        ({"reader": "median"}, "reader must be one of"),
        ({"dropout": 1.0}, "dropout must lie in"),
    ):
        with pytest.raises(ValueError, match=wrong):
            layers.PervasiveAttention(3, **options)
    with pytest.raises(ValueError, match="key must be None"):
        layers.PervasiveAttention(3).prepare(GRID[0], GRID[0])
