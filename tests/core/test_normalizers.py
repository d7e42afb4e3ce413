"""Every normalizer, on any row: a distribution over what is visible."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from regard.core import normalizers
from tests.core.strategies import KEYS, ROWS, masks, moderate, numbers, score_rows
from tests.reference.normalizers import NORMALIZERS

NAMES = sorted(NORMALIZERS)
every_normalizer = pytest.mark.parametrize("name", NAMES)


def weigh(name, scores, mask=None):
    """Weights in NumPy."""
    mask = None if mask is None else keras.ops.convert_to_tensor(mask)
    scores = keras.ops.convert_to_tensor(scores)
    return keras.ops.convert_to_numpy(normalizers.get(name)(scores, mask))


def expected(name, scores, mask):
    """The reference, row by row in float64."""
    weights = np.zeros(scores.shape)
    for row, (values, visible) in enumerate(zip(scores, mask, strict=True)):
        if visible.any():
            seen = values[visible].astype("float64")
            weights[row, visible] = NORMALIZERS[name](seen)
    return weights


@every_normalizer
@moderate
@given(score_rows(), masks())
def test_equals_the_reference_on_visible_keys(name, scores, mask):
    found = weigh(name, scores, mask)
    np.testing.assert_allclose(found, expected(name, scores, mask), atol=3e-6)


@every_normalizer
@moderate
@given(score_rows())
def test_no_mask_is_a_mask_of_ones(name, scores):
    everything = np.ones(scores.shape, bool)
    np.testing.assert_allclose(
        weigh(name, scores), weigh(name, scores, everything), atol=1e-6
    )


@every_normalizer
@moderate
@given(score_rows(largest=2.0**126), masks())
def test_is_a_distribution_whatever_the_size_of_the_scores(name, scores, mask):
    weights = weigh(name, scores, mask)
    assert np.isfinite(weights).all() and (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), mask.any(-1), atol=1e-5)


@every_normalizer
@moderate
@given(score_rows(largest=8.0), masks(), numbers(64.0))
def test_adding_a_constant_to_a_row_changes_nothing(name, scores, mask, shift):
    moved = (scores + np.float32(shift)).astype("float32")
    np.testing.assert_allclose(
        weigh(name, moved, mask), weigh(name, scores, mask), atol=5e-5
    )


@every_normalizer
@moderate
@given(score_rows(), st.permutations(range(KEYS)))
def test_permuting_keys_permutes_weights(name, scores, order):
    np.testing.assert_allclose(
        weigh(name, scores[:, order]), weigh(name, scores)[:, order], atol=1e-6
    )


@every_normalizer
@moderate
@given(score_rows())
def test_larger_scores_get_no_smaller_weights(name, scores):
    order = np.argsort(scores, axis=-1, kind="stable")
    ascending = np.take_along_axis(weigh(name, scores), order, axis=-1)
    assert (np.diff(ascending, axis=-1) >= -1e-6).all()


@every_normalizer
@pytest.mark.parametrize("junk", [1e3, -1e3, 3e38, np.nan, np.inf, -np.inf])
def test_hidden_scores_do_not_matter(name, junk):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(ROWS, KEYS)).astype("float32")
    mask = rng.random((ROWS, KEYS)) > 0.4
    spoilt = np.where(mask, scores, np.float32(junk))
    np.testing.assert_array_equal(weigh(name, spoilt, mask), weigh(name, scores, mask))


def test_sparse_normalizers_give_exact_zeros():
    scores = np.array([[2.0, 0.9, -1.0, 1.9]], "float32")
    assert (weigh("sparsemax", scores) == 0).sum() == 2
    assert (weigh("entmax15", scores) == 0).sum() == 1
    assert (weigh("softmax", scores) > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_a_configuration_and_an_object_are_the_same_part(name):
    part = normalizers.get(name)
    config = keras.saving.serialize_keras_object(part)
    assert normalizers.get(config) == part == normalizers.get(part)
    assert hash(normalizers.get(config)) == hash(part)


@pytest.mark.parametrize("wrong", ["softmx", 3, None, ["softmax"]])
def test_an_unknown_normalizer_says_which_exist(wrong):
    with pytest.raises(
        ValueError, match=r"normalizer must be one of .*entmax, entmax15"
    ):
        normalizers.get(wrong)


@pytest.mark.parametrize("name", ["sparsemax", "entmax15"])
def test_long_rows_of_every_kind_are_exact_side_by_side(name):
    """Rows of a search differ in how far they have to go; none ends another's."""
    random = np.random.default_rng(8)
    scores = random.normal(size=(6, 700)).astype("float32")
    scores[1] = 0.0  # the support is the whole row
    scores[2] = -(2.0 ** -np.arange(700.0) - 1.0)  # crowded below the top
    scores[3] = -np.arange(700.0) / 700.0  # evenly spread
    scores[4] *= 1e4  # one entry takes all
    mask = random.random(scores.shape) < 0.7
    mask[5] = False
    wanted = expected(name, scores, mask)
    assert_allclose(weigh(name, scores, mask), wanted, rtol=1e-4, atol=1e-6)
    with_nan = np.concatenate([scores, np.full((1, 700), np.nan, "float32")])
    seen = np.concatenate([mask, np.ones((1, 700), bool)])
    found = weigh(name, with_nan, seen)[:-1]
    assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
