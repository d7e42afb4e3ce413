"""N: the entmax family, sinks and top-k, and what they become in the limit."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import normalizers
from regard.layers import DotAttention
from tests.conformance.gradients import gradients
from tests.invariants.tools import random, read, weigh

SCORES = random(1, 4, 6) * 2


def test_n03_entmax_at_two_is_sparsemax():
    found = weigh(normalizers.Entmax(alpha=2), SCORES)
    assert_allclose(found, weigh("sparsemax", SCORES), atol=2e-6)
    assert (found == 0).any()


def test_n04_entmax_at_one_and_a_half_is_the_sorted_one():
    found = weigh(normalizers.Entmax(alpha=1.5), SCORES)
    assert_allclose(found, weigh("entmax15", SCORES), atol=2e-6)


def test_n05_entmax_comes_to_softmax_linearly():
    goal = weigh("softmax", SCORES)
    errors = [
        np.abs(weigh(normalizers.Entmax(alpha=1 + step), SCORES) - goal).max()
        for step in (0.1, 0.01)
    ]
    assert 5 < errors[0] / errors[1] < 15
    assert_allclose(weigh(normalizers.Entmax(alpha=1), SCORES), goal, atol=1e-6)


def test_n06_a_large_alpha_chooses():
    best = np.eye(6)[SCORES.argmax(-1)]
    assert_allclose(weigh(normalizers.Entmax(alpha=30), SCORES), best, atol=1e-6)


def test_n08_off_by_one_is_softmax_with_an_empty_key():
    padded = np.concatenate([SCORES, np.zeros((4, 1))], axis=1)
    expected = weigh("softmax", padded)[:, :-1]
    assert_allclose(weigh("off_by_one", SCORES), expected, atol=1e-6)


def sunk(level):
    level = keras.ops.convert_to_tensor(np.full(1, level, "float32"))
    scores = keras.ops.convert_to_tensor(SCORES[None, None])
    return keras.ops.convert_to_numpy(normalizers.Sinks()(scores, None, level))[0, 0]


def test_n09_a_sink_lies_between_softmax_and_off_by_one():
    assert_allclose(sunk(-1e9), weigh("softmax", SCORES), atol=1e-6)
    assert_allclose(sunk(0.0), weigh("off_by_one", SCORES), atol=1e-6)
    assert sunk(20.0).max() < 1e-4


def test_n11_top_k_of_all_is_softmax_and_of_one_the_best():
    assert_allclose(
        weigh(normalizers.TopK(k=6), SCORES), weigh("softmax", SCORES), atol=1e-6
    )
    best = np.eye(6)[SCORES.argmax(-1)]
    assert_allclose(weigh(normalizers.TopK(k=1), SCORES), best, atol=1e-6)


def jacobian(name, row):
    """d weights / d scores of one row, by a layer whose values are the identity."""
    layer = DotAttention(normalizer=name)
    count = len(row)
    value = np.eye(count, dtype="float32")[None]
    rows = []
    for j in range(count):
        direction = keras.ops.convert_to_tensor(value[0, j])

        def chosen(query, direction=direction):
            return keras.ops.sum(layer(query, value, value) * direction)

        rows.append(gradients(layer, chosen, {"query": row[None, None]})[1]["query"])
    return np.stack(rows).reshape(count, count)


def test_n13_the_jacobian_of_softmax():
    p = weigh("softmax", SCORES[:1])[0]
    found = jacobian("softmax", SCORES[0])
    assert_allclose(found, np.diag(p) - np.outer(p, p), atol=1e-6)
    assert_allclose(found.sum(-1), 0, atol=1e-6)


def test_n14_the_jacobian_of_sparsemax_knows_the_support_alone():
    inside = (weigh("sparsemax", SCORES[:1])[0] > 0).astype("float64")
    assert 1 < inside.sum() < 6
    expected = np.diag(inside) - np.outer(inside, inside) / inside.sum()
    assert_allclose(jacobian("sparsemax", SCORES[0]), expected, atol=1e-6)


def test_slot_shares_out_every_key_and_weighs_every_query():
    shares = weigh("slot", SCORES)
    assert_allclose(shares.sum(-1), 1, atol=1e-5)
    powers = np.exp(SCORES - SCORES.max(0))
    columns = powers / powers.sum(0)
    assert_allclose(columns.sum(0), 1, rtol=1e-5)
    assert_allclose(shares, columns / columns.sum(-1, keepdims=True), atol=1e-6)


def test_slot_needs_several_queries():
    from regard.layers import AttentionPooling

    with pytest.raises(ValueError, match="normalizer must work row by row"):
        AttentionPooling(normalizer="slot")
    one = read(DotAttention(normalizer="slot"), SCORES[None, :1], SCORES[None])[1]
    assert_allclose(one, 1 / 4, atol=1e-6)


def test_a_budget_of_one_is_sparsemax_and_a_large_one_reads_everything():
    found = weigh(normalizers.Budget(budget=1), SCORES)
    assert_allclose(found, weigh("sparsemax", SCORES), atol=1e-6)
    assert_allclose(weigh(normalizers.Budget(budget=6), SCORES), 1, atol=1e-6)
    two = weigh(normalizers.Budget(budget=2), SCORES)
    assert_allclose(two.sum(-1), 2, atol=1e-5)
    assert two.max() <= 1 and two.min() == 0


def test_normmax_is_uniform_over_ties_and_more_even_with_a_larger_alpha():
    ties = np.array([[1.0, 1.0, -5.0, 1.0]], "float32")
    assert_allclose(
        weigh("normmax", ties), [[1 / 3, 1 / 3, 0, 1 / 3]], rtol=1e-5, atol=1e-7
    )
    close = SCORES * 0.1
    flat, steep = (weigh(normalizers.Normmax(alpha=a), close) for a in (4.0, 1.2))
    assert flat.std() < steep.std()


def test_the_gradient_of_the_entmax_loss_is_prediction_minus_truth():
    from regard.losses import EntmaxLoss, entmax_loss

    target = np.array([0, 3, 1, 5])
    right = np.eye(6)[target]

    def losses(scores, alpha):
        scores = keras.ops.convert_to_tensor(scores.astype("float32"))
        found = entmax_loss(keras.ops.convert_to_tensor(target), scores, alpha)
        return keras.ops.convert_to_numpy(found)

    for alpha, name in ((1.0, "softmax"), (1.5, "entmax15"), (2.0, "sparsemax")):
        step, weights = 1e-2, weigh(name, SCORES)
        direction = random(5, 4, 6)
        ahead = losses(SCORES + step * direction, alpha)
        behind = losses(SCORES - step * direction, alpha)
        slope = ((weights - right) * direction).sum(-1)
        assert_allclose((ahead - behind) / (2 * step), slope, rtol=2e-2, atol=2e-3)
        loss = EntmaxLoss(alpha, reduction=None)
        again = EntmaxLoss.from_config(loss.get_config())
        found = keras.ops.convert_to_numpy(again(target, SCORES))
        assert_allclose(found, losses(SCORES, alpha), rtol=1e-6)
    assert_allclose(losses(10 * right, 1.5), 0, atol=1e-6)
    plain = keras.losses.sparse_categorical_crossentropy(
        target, SCORES, from_logits=True
    )
    plain = keras.ops.convert_to_numpy(plain)
    assert_allclose(losses(SCORES, 1.0), plain, rtol=1e-5)
