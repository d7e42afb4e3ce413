"""V, H: two inputs, and series over time."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from regard import layers
from tests.conformance.compiled import at_once
from tests.invariants.tools import numpy, random, randomized, read, with_weights

TEXT, QUESTION = random(1, 2, 6, 5), random(2, 2, 4, 5)
SHORT = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
REAL = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], bool)


def test_v12_rows_of_bidaf_sum_to_one_and_what_is_read_once_is_the_same_everywhere():
    layer = randomized(layers.AttentionFlow(), TEXT, QUESTION)
    output, weights = read(layer, TEXT, QUESTION, value_mask=SHORT)
    assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert (weights[0, :, 2:] == 0).all()
    once = output[..., 15:] / TEXT
    assert_allclose(once, np.repeat(once[:, :1], 6, axis=1), rtol=1e-3, atol=1e-4)
    trace = layer.trace(TEXT, QUESTION, value_mask=SHORT)
    shares = trace.extra["context_weights"]
    assert_allclose(once[:, 0], np.einsum("bt,btd->bd", shares, TEXT), rtol=1e-3)


def test_m09_both_sides_of_a_pair_are_masked():
    for layer in (
        layers.AttentionFlow(),
        layers.Coattention(3),
        layers.DynamicCoattention(),
        layers.DecomposableAttention(3),
    ):
        randomized(layer, TEXT, QUESTION)
        junk = np.where(REAL[..., None], TEXT, np.nan).astype("float32")
        other = np.where(SHORT[..., None], QUESTION, np.nan).astype("float32")
        ask = at_once(layer)
        found = numpy(ask(junk, other, query_mask=REAL, value_mask=SHORT))
        expected = numpy(ask(TEXT[:1, :4], QUESTION[:1, :2]))
        shown = found[:1, :4] if found.ndim == 3 else found[:1]
        assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)


def test_n09_a_sentinel_takes_what_fits_nowhere():
    layer = randomized(layers.DynamicCoattention(), TEXT, QUESTION)
    _, weights = read(layer, TEXT, QUESTION)
    assert (weights.sum(-1) < 1).all() and (weights.sum(-1) > 0).all()
    layer.value_sentinel.assign(np.zeros(5))  # a score of 0, as in off-by-one
    _, weights = read(layer, TEXT, QUESTION)
    question = np.tanh(
        QUESTION @ numpy(layer.projection.kernel.value)
        + numpy(layer.projection.bias.value)
    )
    powers = np.exp(TEXT @ question.swapaxes(1, 2))
    assert_allclose(weights, powers / (1 + powers.sum(-1, keepdims=True)), rtol=1e-3)


def test_coattention_without_affinity_judges_each_side_alone():
    layer = randomized(layers.Coattention(3), TEXT, QUESTION)
    layer.kernel.assign(np.zeros((5, 5)))
    sides = []
    for name, inputs in (("query", TEXT), ("value", QUESTION)):
        alone = with_weights(
            layers.ContextPooling(3, use_bias=False),
            inputs,
            kernel=numpy(getattr(layer, f"{name}_kernel").value),
            score_vector=numpy(getattr(layer, f"{name}_score_vector").value),
        )
        sides.append(numpy(alone(inputs)))
    assert_allclose(
        numpy(layer(TEXT, QUESTION)), np.concatenate(sides, -1), rtol=1e-4, atol=1e-5
    )


def test_v13_zero_score_weights_read_every_series_alike():
    inputs = random(3, 2, 5, 4)
    layer = randomized(layers.InputAttention(3), inputs)
    layer.attention.score_vector.assign(np.zeros(5))
    outputs, weights = read(layer, inputs)
    assert_allclose(weights, 0.25, atol=1e-6)
    plain = keras.layers.RNN(layer.cell, return_sequences=True)
    assert_allclose(outputs, numpy(plain(inputs / 4)), rtol=1e-4, atol=1e-5)


def test_h15_the_mean_of_the_heads_is_the_whole_truth():
    query, value = random(4, 2, 3, 5), random(5, 2, 6, 7)
    layer = randomized(layers.InterpretableMultiHeadAttention(3, 4), query, value)
    output, maps = read(layer, query, value)
    shared = value @ numpy(layer.value_dense.kernel.value)
    expected = maps.mean(1) @ shared @ numpy(layer.output_dense.kernel.value)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_h15_and_it_is_multi_head_attention_with_shared_values():
    query, value = random(6, 2, 3, 5), random(7, 2, 6, 7)
    layer = randomized(layers.InterpretableMultiHeadAttention(3, 4), query, value)
    heads = layers.MultiHeadAttention(3, 4, use_bias=False)
    heads(query, value)
    for name in ("query_dense", "key_dense"):
        kernel = numpy(getattr(layer, name).kernel.value)
        getattr(heads, name).kernel.assign(kernel.reshape(-1, 3, 4))
    kernel = numpy(layer.value_dense.kernel.value)
    heads.value_dense.kernel.assign(np.stack([kernel] * 3, axis=1))
    kernel = numpy(layer.output_dense.kernel.value)
    heads.output_dense.kernel.assign(np.stack([kernel] * 3) / 3)
    found, expected = layer(query, value), heads(query, value)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-5)


def test_auto_correlation_finds_the_period():
    steps = np.arange(24)
    wave = np.sin(2 * np.pi * steps / 6)[None, :, None].astype("float32")
    series = np.concatenate([wave, np.roll(wave, 1, axis=1)], axis=-1)
    layer = layers.AutoCorrelation(1, 2)
    layer(series)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(layer, name).kernel.assign(np.eye(2))
    output, weights = read(layer, series)
    assert set(np.flatnonzero(weights[0])) <= {0, 6, 12, 18}
    assert_allclose(output, series, rtol=1e-3, atol=1e-4)  # whole periods later


def test_auto_correlation_shares_its_delays_in_training_alone():
    series = random(8, 3, 12, 4)
    layer = randomized(layers.AutoCorrelation(2, 2, factor=1), series)
    chosen = layer.trace(series).extra["delays"]
    assert len({tuple(sorted(row)) for row in chosen}) > 1
    shared = layer.trace(series, training=True).extra["delays"]
    assert len({tuple(row) for row in shared}) == 1


def test_n10_temporal_patterns_are_weighed_by_sigmoids_and_not_shared_out():
    window = random(9, 2, 6, 4)
    layer = randomized(layers.TemporalPatternAttention(3, 5), window)
    _, weights = read(layer, window)
    scores = layer.trace(window).scores[:, 0, 0]
    assert_allclose(weights, 1 / (1 + np.exp(-scores)), rtol=1e-4)
    assert np.abs(weights.sum(-1) - 1).min() > 1e-2


def test_a_pyramid_halves_frames_and_masks():
    frames, real = random(10, 2, 7, 3), np.ones((2, 7), bool)
    real[0, 4:] = False
    layer = randomized(layers.PyramidEncoder(2, levels=2), frames)
    found = layer(frames, mask=real)
    assert found.shape == (2, 2, 4)
    assert numpy(found._keras_mask).tolist() == [[True, False], [True, True]]
    short = numpy(at_once(layer)(frames[:1, :4]))
    assert_allclose(numpy(found)[0, :1], short[0], rtol=1e-5, atol=1e-6)
