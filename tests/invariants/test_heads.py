"""H: many heads, and Keras' layer where it is right."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read, with_weights

QUERY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def test_h01_joined_heads_are_the_sum_of_single_ones():
    joined = randomized(layers.MultiHeadAttention(2, 3, use_bias=False), QUERY, VALUE)
    total = 0
    for h in range(2):
        single = layers.MultiHeadAttention(1, 3, use_bias=False)
        single(QUERY, VALUE)
        for name in ("query_dense", "key_dense", "value_dense"):
            kernel = numpy(getattr(joined, name).kernel.value)
            getattr(single, name).kernel.assign(kernel[:, h : h + 1])
        kernel = numpy(joined.output_dense.kernel.value)
        single.output_dense.kernel.assign(kernel[h : h + 1])
        total = total + numpy(single(QUERY, VALUE))
    assert_allclose(numpy(joined(QUERY, VALUE)), total, rtol=1e-4, atol=1e-5)


def test_h06_heads_may_change_places():
    layer = randomized(layers.MultiHeadAttention(3, 2), QUERY, VALUE)
    before, weights = read(layer, QUERY, VALUE)
    order = [2, 0, 1]
    for name in ("query_dense", "key_dense", "value_dense"):
        dense = getattr(layer, name)
        dense.kernel.assign(numpy(dense.kernel.value)[:, order])
        dense.bias.assign(numpy(dense.bias.value)[order])
    dense = layer.output_dense
    dense.kernel.assign(numpy(dense.kernel.value)[order])
    after, permuted = read(layer, QUERY, VALUE)
    assert_allclose(after, before, rtol=1e-5, atol=1e-5)
    assert_allclose(permuted, weights[:, order], rtol=1e-5, atol=1e-6)


def test_h12_a_saturated_gate_is_no_gate():
    gated = randomized(layers.MultiHeadAttention(2, 3, use_gate=True), QUERY, VALUE)
    gated.gate_dense.kernel.assign(np.zeros((4, 2, 3)))
    gated.gate_dense.bias.assign(np.full((2, 3), 50.0))
    plain = layers.MultiHeadAttention(2, 3)
    plain(QUERY, VALUE)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        for kind in ("kernel", "bias"):
            weight = getattr(getattr(gated, name), kind)
            getattr(getattr(plain, name), kind).assign(numpy(weight.value))
    assert_allclose(
        numpy(gated(QUERY, VALUE)), numpy(plain(QUERY, VALUE)), rtol=1e-5, atol=1e-6
    )


def test_h16_one_head_with_identities_is_scaled_dot_attention():
    eye = np.eye(4)
    x = random(3, 2, 5, 4)
    layer = with_weights(
        layers.MultiHeadAttention(1, 4, use_bias=False),
        QUERY,
        x,
        query_dense__kernel=eye[:, None],
        key_dense__kernel=eye[:, None],
        value_dense__kernel=eye[:, None],
        output_dense__kernel=eye[None],
    )
    ours = read(layer, QUERY, x, value_mask=KEEP)
    single = read(layers.ScaledDotAttention(), QUERY, x, value_mask=KEEP)
    assert_allclose(ours[0], single[0], rtol=1e-5, atol=1e-6)
    assert_allclose(ours[1][:, 0], single[1], rtol=1e-5, atol=1e-6)


def test_weights_and_numbers_are_those_of_the_keras_layer():
    """Same constructor, weights in the same order, same answer where it is right."""
    options = {"num_heads": 2, "key_dim": 3, "value_dim": 3}
    theirs = keras.layers.MultiHeadAttention(**options)
    ours = layers.MultiHeadAttention(**options)
    theirs(QUERY, VALUE)
    ours(QUERY, VALUE)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    randomized(theirs, QUERY, VALUE)
    ours.set_weights(theirs.get_weights())
    expected = numpy(
        theirs(QUERY, VALUE, value_mask=KEEP, return_attention_scores=True)
    )
    found = read(ours, QUERY, VALUE, value_mask=KEEP)
    assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-5)
    assert_allclose(found[1], expected[1], rtol=1e-5, atol=1e-6)


def test_sublayers_have_the_names_of_the_keras_layer():
    layer = layers.MultiHeadAttention(2, 3, use_gate=True)
    layer(QUERY, VALUE)
    names = {each.name for each in layer._flatten_layers(include_self=False)}
    assert {"query", "key", "value", "gate", "attention_output"} <= names


def test_d16_a_memory_network_hop_is_attention_and_a_residual():
    controller, keys, values = (
        random(4, 2, 1, 4),
        random(5, 2, 5, 4),
        random(6, 2, 5, 4),
    )
    read_out = numpy(layers.DotAttention()(controller, values, keys))
    logits = np.einsum("bod,bsd->bos", controller, keys)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = controller + p @ values
    assert_allclose(controller + read_out, expected, rtol=1e-5, atol=1e-6)
