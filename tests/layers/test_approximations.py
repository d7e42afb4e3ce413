"""Approximations under padding, and what they refuse."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Window, features, layers, plan, positions
from tests.invariants.tools import numpy, random, randomized
from tests.reference import approximate

X = random(5, 2, 7, 6)
KEEP = np.array([[1, 1, 0, 1, 1, 0, 0], [1] * 7], bool)
OVER_MEMORY = {
    "linformer": (
        layers.LinformerAttention(2, 3, rows=4, maximum_length=8),
        approximate.linformer,
    ),
    "nystrom": (
        layers.NystromAttention(2, 3, landmarks=3),
        partial(approximate.nystrom, landmarks=3),
    ),
    "prob_sparse": (
        layers.ProbSparseAttention(2, 3, factor=1),
        approximate.prob_sparse,
    ),
    "prob_sparse_causal": (
        layers.ProbSparseAttention(2, 3, factor=1, causal=True),
        partial(approximate.prob_sparse, causal=True),
    ),
    "attention_free": (
        layers.AttentionFree(3, maximum_length=8),
        approximate.attention_free,
    ),
}


def weights_of(layer):
    named = {each.path.split("/", 1)[1]: each for each in layer.weights}
    return {name: numpy(each.value).astype("float64") for name, each in named.items()}


@pytest.mark.parametrize("name", sorted(OVER_MEMORY))
def test_padding_is_left_out_of_every_sum(name):
    layer, reference = OVER_MEMORY[name]
    randomized(layer, X)
    spoilt = np.where(KEEP[..., None], X, np.float32("nan"))
    found = layer(X, spoilt, value_mask=KEEP, return_attention_scores=True)
    visible = np.broadcast_to(KEEP[:, None], (2, 7, 7))
    expected = reference(weights_of(layer), X, X, X * KEEP[..., None], visible)
    for ours, theirs in zip(numpy(found), expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(OVER_MEMORY))
def test_nothing_to_look_at_gives_zeros(name):
    layer, _ = OVER_MEMORY[name]
    randomized(layer, X)
    nothing = np.array([[False] * 7, [True] * 7])
    output, weights = numpy(layer(X, value_mask=nothing, return_attention_scores=True))
    assert np.isfinite(output).all() and (weights[0] == 0).all()
    bias = numpy(layer.output_dense.bias.value)
    assert_allclose(output[0], np.broadcast_to(bias, output[0].shape), atol=1e-6)
    hidden = numpy(layer(X, query_mask=nothing))
    assert_allclose(hidden[0], np.broadcast_to(bias, hidden[0].shape), atol=1e-6)


def test_hashing_leaves_padding_out():
    layer = layers.LSHAttention(2, 3, rounds=2, buckets=4, chunk=3, seed=5)
    randomized(layer, X)
    spoilt = np.where(KEEP[..., None], X, np.float32("nan"))
    found = numpy(layer(spoilt, mask=KEEP, return_attention_scores=True))
    clean = X * KEEP[..., None]
    expected = approximate.lsh(weights_of(layer), clean, KEEP, chunk=3)
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_same_input_has_the_same_output():
    for layer in (
        layers.LSHAttention(2, 3, rounds=2, buckets=4, chunk=3),
        layers.ProbSparseAttention(2, 3, factor=1),
        layers.LinearAttention(2, 3, feature_map="random_features"),
    ):
        assert_allclose(numpy(layer(X)), numpy(layer(X)), rtol=0, atol=0)


def test_linear_attention_says_that_it_needs_no_table():
    layer = layers.LinearAttention(2, 3)
    assert plan(layer, (2, 50_000, 8)).path == "linear"
    assert plan(layers.MultiHeadAttention(2, 3), (2, 50_000, 8)).path == "fused"
    near = layers.LinearAttention(2, 3, scope=Window(3))
    assert plan(near, (2, 50_000, 8)).path == "band"  # a scope is about pairs


def test_long_inputs_pass_without_their_table_of_pairs():
    """A table of 200 000 by 200 000 would need 160 GB."""
    long = np.ones((1, 200_000, 2), "float32")
    output = numpy(layers.LinearAttention(1, 2)(long))
    assert output.shape == (1, 200_000, 2) and np.isfinite(output).all()


def test_linear_attention_works_inside_a_decoder():
    decoder = layers.AttentionDecoder(
        layers.LinearAttention(2, 3), keras.layers.GRUCell(4)
    )
    output, weights = numpy(
        decoder(random(6, 2, 3, 5), X, value_mask=KEEP, return_attention_scores=True)
    )
    assert np.isfinite(output).all() and weights.shape == (2, 2, 3, 7)
    assert (weights[0][..., ~KEEP[0]] == 0).all()


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at most maximum_length = 4"):
        layers.LinformerAttention(2, 3, rows=2, maximum_length=4)(X)
    with pytest.raises(ValueError, match="the same length with causal"):
        layers.ProbSparseAttention(2, 3, causal=True)(X, X[:, :5])
    with pytest.raises(ValueError, match="the same length where values"):
        layers.NystromAttention(2, 3, landmarks=2, convolution=3)(X, X[:, :5])
    with pytest.raises(ValueError, match="buckets must be even"):
        layers.LSHAttention(2, 3, buckets=3)
    with pytest.raises(ValueError, match="maximum_length must be given with rank"):
        layers.AttentionFree(3, rank=2)
    with pytest.raises(ValueError, match="decays must be 2 numbers"):
        layers.Retention(2, 3, decays=[0.5])
    with pytest.raises(ValueError, match="position must turn queries"):
        layers.Retention(2, 3, position=positions.ALiBi())
    cosine = positions.CosineReweighting(8)
    with pytest.raises(ValueError, match="position must keep the width"):
        layers.Retention(2, 3, position=cosine)
    with pytest.raises(ValueError, match="feature_map must be 'relu' with"):
        layers.CausalLinearAttention(2, 3, position=cosine)
    with pytest.raises(ValueError, match="feature_map must give positive scores"):
        layers.LinearAttention(2, 3, feature_map="identity")
    with pytest.raises(ValueError, match="normalizer must be Proportional"):
        layers.LinearAttention(2, 3, normalizer="softmax")
    with pytest.raises(ValueError, match="scale must be None"):
        layers.LinearAttention(2, 3, scale=2.0)
    with pytest.raises(ValueError, match="scale must be 1 with normalize"):
        layers.CausalLinearAttention(2, 3, scale=2.0)
    with pytest.raises(ValueError, match="gate_rank must be None"):
        layers.GatedDeltaAttention(2, 3, gate_rank=2)
    with pytest.raises(ValueError, match="value_dim must be a positive integer"):
        layers.Retention(2, 3, value_dim=0)


@pytest.mark.parametrize("order", ["repeat", "tile"])
@pytest.mark.parametrize("causal", [False, True])
def test_linear_heads_may_share_keys(order, causal):
    drawn = features.RandomFeatures(shared_maximum=False)
    options = {"use_bias": False, "feature_map": drawn, "seed": 3}
    grouped = layers.LinearAttention(
        4, 3, num_key_value_heads=2, head_order=order, **options
    )
    plain = layers.LinearAttention(4, 3, **options)
    grouped(X), plain(X)
    copied = partial(np.repeat, repeats=2) if order == "repeat" else _tiled
    kernels = [numpy(each) for each in grouped.get_weights()]
    shapes = [each.shape for each in plain.weights]
    plain.set_weights(
        [
            one if one.shape == tuple(shape) else copied(one, axis=1)
            for one, shape in zip(kernels, shapes, strict=True)
        ]
    )
    found = numpy(grouped(X, value_mask=KEEP, use_causal_mask=causal))
    expected = numpy(plain(X, value_mask=KEEP, use_causal_mask=causal))
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def _tiled(kernel, axis):
    return np.concatenate([kernel, kernel], axis=axis)


@pytest.mark.parametrize("options", [{}, {"maximum_length": 9}, {"rank": 2}])
def test_attention_free_steps_are_the_whole(options):
    if "rank" in options:
        options = {**options, "maximum_length": 7}
    layer = layers.AttentionFree(5, causal=True, output_shape=3, **options)
    x = 3 * np.random.default_rng(8).normal(size=(2, 7, 4)).astype("float32")
    whole, state = numpy(layer(x)), layer.initial_state(2)
    for t in range(7):
        output, state = layer.step(keras.ops.convert_to_tensor(x[:, t]), state)
        assert_allclose(numpy(output), whole[:, t], rtol=1e-4, atol=1e-5)
    if "rank" in options:
        with pytest.raises(ValueError, match="state must have room for one more"):
            layer.step(keras.ops.convert_to_tensor(x[:, 0]), state)


def test_attention_free_that_looks_ahead_takes_no_steps():
    with pytest.raises(ValueError, match="causal must be True to go step by step"):
        layers.AttentionFree(5).initial_state(2)
