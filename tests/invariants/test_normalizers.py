"""N: softmax, sparsemax and entmax-1.5, and the rewrites that go wrong."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard.core.normalizers import SoftCap
from regard.layers import DotAttention
from tests.invariants.tools import random, read, weigh
from tests.reference.normalizers import NORMALIZERS

SCORES = random(1, 4, 6) * 2
NAMES = sorted(NORMALIZERS)


@pytest.mark.parametrize("name", NAMES)
def test_n01_sums_to_one_and_ignores_a_shift(name):
    assert_allclose(weigh(name, SCORES).sum(-1), 1, atol=1e-6)
    assert_allclose(weigh(name, SCORES + 7), weigh(name, SCORES), atol=1e-5)


def test_n02_sparsemax_is_the_projection_onto_the_simplex():
    """No point of the simplex is nearer: checked against many of them."""
    found = weigh("sparsemax", SCORES)
    distance = ((found - SCORES) ** 2).sum(-1)
    rng = np.random.default_rng(2)
    for _ in range(300):
        rival = rng.dirichlet(np.ones(6) * 0.3, size=4)
        assert (((rival - SCORES) ** 2).sum(-1) >= distance - 1e-5).all()
    support = found > 0  # on the support, weight minus score is one constant
    for row, inside in zip(found - SCORES, support, strict=True):
        assert_allclose(row[inside], row[inside][0], atol=1e-5)
        assert (row[~inside] >= row[inside][0] - 1e-5).all()


def test_n04_entmax15_by_sorting_is_entmax15_by_bisection():
    expected = np.stack([NORMALIZERS["entmax15"](r) for r in SCORES.astype("float64")])
    assert_allclose(weigh("entmax15", SCORES), expected, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_n07_cold_rows_choose_and_hot_rows_are_uniform(name):
    best = np.eye(6)[SCORES.argmax(-1)]
    assert_allclose(weigh(name, SCORES * 1e4), best, atol=1e-6)
    assert_allclose(weigh(name, SCORES * 1e-6), 1 / 6, atol=1e-5)


def test_n10_softmax_over_two_keys_is_the_sigmoid_of_the_difference():
    pair = SCORES[:, :2]
    expected = 1 / (1 + np.exp(pair[:, 1] - pair[:, 0]))
    assert_allclose(weigh("softmax", pair)[:, 0], expected, atol=1e-6)


def test_n15_softmax_mask_renormalise_is_the_masked_softmax_in_calm_weather():
    mask = SCORES > -1.5
    plain = weigh("softmax", SCORES) * mask
    expected = plain / plain.sum(-1, keepdims=True)
    assert_allclose(weigh("softmax", SCORES, mask), expected, atol=1e-6)


def test_n16_but_that_rewrite_is_nan_where_hidden_scores_dominate():
    scores, mask = np.array([[200.0, 0.0, 0.0]]), np.array([[False, True, True]])
    plain = weigh("softmax", scores) * mask
    with np.errstate(invalid="ignore"):
        rewritten = plain / plain.sum(-1, keepdims=True)
    assert np.isnan(rewritten).any()
    assert_allclose(weigh("softmax", scores, mask), [[0, 0.5, 0.5]], atol=1e-6)


def test_n17_a_large_negative_fill_makes_an_empty_row_uniform_and_ours_zero():
    filled = np.full((1, 6), -1e9)
    assert_allclose(weigh("softmax", filled), 1 / 6, atol=1e-6)
    hidden = np.zeros((1, 6), bool)
    for name in NAMES:
        assert_array_equal(weigh(name, SCORES[:1], hidden), np.zeros((1, 6)))


def test_n18_that_fill_is_infinite_in_half_precision_and_the_row_nan():
    with np.errstate(over="ignore", invalid="ignore"):
        filled = np.full(6, -1e9).astype("float16")
        assert np.isinf(filled).all()
        assert np.isnan(NORMALIZERS["softmax"](filled)).all()
    x = random(3, 1, 6, 4)
    _, weights = read(
        DotAttention(dtype="float32"), x, value_mask=np.zeros((1, 6), bool)
    )
    assert_array_equal(weights, np.zeros((1, 6, 6)))
    half = DotAttention(dtype="float16")
    assert_array_equal(
        read(half, x, value_mask=np.zeros((1, 6), bool))[1], np.zeros((1, 6, 6))
    )


def test_n19_dropout_keeps_the_expectation_but_not_the_sum():
    """A value of ones reads the sum of the dropped weights."""
    x = random(4, 1, 5, 4)
    layer = DotAttention(dropout=0.5, seed=3)
    ones = np.ones((1, 5, 1), "float32")
    sums = np.stack(
        [np.asarray(read(layer, x, ones, x, training=True)[0]) for _ in range(300)]
    )
    assert sums.std() > 0.1
    assert_allclose(sums.mean(), 1, atol=0.05)


def test_n12_a_wide_cap_changes_nothing_and_a_narrow_one_bounds():
    expected = weigh("softmax", SCORES)
    assert_allclose(weigh(SoftCap(1e6), SCORES), expected, atol=1e-6)
    narrow = weigh(SoftCap(0.1), 1e3 * SCORES)
    assert (np.abs(np.log(narrow / narrow[:, :1])) <= 0.2 + 1e-5).all()
    assert np.abs(weigh("softmax", 1e3 * SCORES) - narrow).max() > 0.5
