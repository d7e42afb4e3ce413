"""No examples, no steps, nothing to look at: shapes stay, and what is read is zeros."""

import keras
import numpy as np
import pytest

import regard

pytestmark = pytest.mark.backend("torch")
LAYERS = regard.layers


def shaped(*shape):
    return np.ones(shape, "float32")


@pytest.mark.parametrize("batch, steps", [(0, 5), (2, 0), (0, 0)])
@pytest.mark.parametrize(
    "layer, shape",
    [
        (LAYERS.AttentionPooling, (4,)),
        (lambda: LAYERS.ContextPooling(3), (4,)),
        (lambda: LAYERS.GatedPooling(3), (4,)),
        (lambda: LAYERS.StructuredPooling(3, 2), (2, 4)),
    ],
)
def test_a_pool_of_nothing_is_zeros(layer, shape, batch, steps):
    layer = layer()
    layer(shaped(2, 5, 4))
    found = layer(shaped(batch, steps, 4))
    assert tuple(found.shape) == (batch, *shape)
    assert not found.any()


@pytest.mark.parametrize("batch, words, regions", [(0, 3, 5), (2, 0, 5), (2, 3, 0)])
def test_a_side_of_nothing_is_zeros(batch, words, regions):
    layer = LAYERS.Coattention(3)
    layer(shaped(2, 3, 4), shaped(2, 5, 6))
    found = layer(shaped(batch, words, 4), shaped(batch, regions, 6))
    assert tuple(found.shape) == (batch, 10)
    assert bool(found[:, :4].any()) == bool(batch and words)
    assert bool(found[:, 4:].any()) == bool(batch and regions)


@pytest.mark.parametrize("cell", [keras.layers.GRUCell, keras.layers.LSTMCell])
@pytest.mark.parametrize(
    "batch, steps, memory", [(0, 3, 5), (2, 0, 5), (0, 0, 5), (2, 3, 0), (0, 3, 0)]
)
def test_a_decoder_without_steps_keeps_its_state(cell, batch, steps, memory):
    layer = LAYERS.AttentionDecoder(LAYERS.AdditiveAttention(units=4), cell(3))
    width = layer(shaped(2, 3, 4), shaped(2, 5, 6)).shape[-1]
    inputs = shaped(batch, steps, 4), shaped(batch, memory, 6)
    found, weights, state = layer(
        *inputs, return_attention_scores=True, return_state=True
    )
    assert tuple(found.shape) == (batch, steps, width)
    assert tuple(weights.shape) == (batch, steps, memory)
    leaves = keras.tree.flatten(state)
    assert leaves and all(each.shape[0] == batch for each in leaves)
    if not steps:
        assert not any(each.any() for each in leaves)


@pytest.mark.parametrize("batch, queries, keys", [(0, 3, 5), (2, 0, 5), (2, 3, 0)])
@pytest.mark.parametrize("causal", [False, True])
def test_heads_that_see_nothing_read_nothing(batch, queries, keys, causal):
    layer = LAYERS.MultiHeadAttention(2, 3, use_bias=False)
    layer(shaped(2, 3, 4), shaped(2, 5, 6))
    inputs = shaped(batch, queries, 4), shaped(batch, keys, 6)
    found = layer(*inputs, use_causal_mask=causal)
    assert tuple(found.shape) == (batch, queries, 4)
    assert bool(found.any()) == bool(batch and queries and keys)
