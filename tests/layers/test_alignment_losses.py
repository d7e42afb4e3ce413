"""Losses of alignments against their equations in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from regard import losses

WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(5), size=(2, 4)).astype("float32")
QUERIES = np.arange(4) < np.array([[4], [2]])
KEYS = np.arange(5) < np.array([[5], [3]])
MASKED = WEIGHTS * KEYS[:, None] * QUERIES[:, :, None]


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_coverage_loss_counts_what_is_read_again():
    expected = []
    for row, real in zip(MASKED, QUERIES, strict=True):
        covered, total = np.zeros(5), 0.0
        for i in np.flatnonzero(real):
            total += np.minimum(row[i], covered).sum()
            covered = covered + row[i]
        expected.append(total / real.sum())
    assert_allclose(array(losses.coverage_loss(MASKED, QUERIES)), expected, rtol=1e-5)
    heads = np.stack([MASKED, MASKED], axis=1)
    assert_allclose(array(losses.coverage_loss(heads, QUERIES)), expected, rtol=1e-5)
    same = np.tile(np.eye(5, dtype="float32")[[[2]]], (1, 4, 1))
    assert_allclose(array(losses.coverage_loss(same)), [0.75])
    apart = np.eye(5, dtype="float32")[None, :4]
    assert_allclose(array(losses.coverage_loss(apart)), [0.0])
    whole = array(losses.CoverageLoss()(QUERIES, MASKED))
    assert_allclose(whole, np.mean(expected), rtol=1e-5)


def test_guided_attention_follows_the_real_lengths():
    expected = []
    for row, queries, keys in zip(MASKED, QUERIES.sum(1), KEYS.sum(1), strict=True):
        total = 0.0
        for i in range(queries):
            for j in range(keys):
                distance = i / queries - j / keys
                total += row[i, j] * (1 - np.exp(-(distance**2) / (2 * 0.3**2)))
        expected.append(total / (queries * keys))
    found = losses.guided_attention_loss(WEIGHTS, QUERIES, KEYS, width=0.3)
    assert_allclose(array(found), expected, rtol=1e-5)
    real = QUERIES[:, :, None] & KEYS[:, None]
    whole = losses.GuidedAttentionLoss(0.3)(real, WEIGHTS)
    assert_allclose(array(whole), np.mean(expected), rtol=1e-5)
    diagonal = np.eye(6, dtype="float32")[None]
    assert_allclose(array(losses.guided_attention_loss(diagonal)), [0.0], atol=1e-7)
    assert array(losses.guided_attention_loss(diagonal[:, ::-1]))[0] > 0.05


def test_every_key_is_wanted_once():
    even = np.full((1, 5, 5), 0.2, "float32")
    assert_allclose(array(losses.doubly_stochastic_penalty(even)), [0.0], atol=1e-6)
    expected = [
        sum((1 - row[:, j].sum()) ** 2 for j in np.flatnonzero(keys))
        for row, keys in zip(MASKED, KEYS, strict=True)
    ]
    found = losses.doubly_stochastic_penalty(WEIGHTS, QUERIES, KEYS)
    assert_allclose(array(found), expected, rtol=1e-5)


def test_delay_is_how_much_was_read():
    first, last = np.zeros((2, 1, 4, 5), "float32")
    first[..., 0] = last[..., 4] = 1.0
    nothing = 0 * first
    for weights, expected in ((first, 0.2), (last, 1.0), (nothing, 1.0)):
        assert_allclose(array(losses.expected_delay(weights)), [expected], rtol=1e-6)
    expected = [
        np.mean(
            [
                sum((j + 1) / keys * row[i, j] for j in range(keys))
                + 1
                - row[i, :keys].sum()
                for i in range(queries)
            ]
        )
        for row, queries, keys in zip(MASKED, QUERIES.sum(1), KEYS.sum(1), strict=True)
    ]
    found = losses.expected_delay(MASKED, QUERIES, KEYS)
    assert_allclose(array(found), expected, rtol=1e-5)


def test_the_score_function_takes_rewards_as_numbers():
    logs = np.log(np.float32([0.2, 0.5]))
    found = losses.score_function_loss(logs, np.float32([3.0, 1.0]), 1.0, -logs, 0.1)
    assert_allclose(array(found), -np.float32([2.0, 0.0]) * logs + 0.1 * logs)


def test_losses_are_saved_with_their_options():
    for loss in (losses.CoverageLoss(), losses.GuidedAttentionLoss(0.4)):
        again = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(loss)
        )
        assert again.get_config() == loss.get_config()
    with pytest.raises(ValueError, match="width must be a positive number"):
        losses.GuidedAttentionLoss(0)
