"""Times of tokens: a walk found by trying all, and transformers' own."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from regard.seeing.metrics import token_times
from regard.seeing.metrics.token_times import cheapest_path, token_frames

RNG = np.random.default_rng(0)


def every_walk(rows, columns, place=(0, 0)):
    row, column = place
    if place == (rows - 1, columns - 1):
        yield [place]
    for step in ((1, 1), (1, 0), (0, 1)):
        other = row + step[0], column + step[1]
        if other[0] < rows and other[1] < columns:
            for rest in every_walk(rows, columns, other):
                yield [place, *rest]


def test_no_other_walk_costs_less():
    costs = RNG.normal(size=(4, 5))
    found = list(zip(*cheapest_path(costs), strict=True))
    best = min(every_walk(4, 5), key=lambda walk: sum(costs[each] for each in walk))
    assert found == best


def test_it_is_the_walk_of_transformers():
    whisper = pytest.importorskip("transformers.models.whisper.generation_whisper")
    costs = RNG.normal(size=(9, 40))
    for ours, theirs in zip(
        cheapest_path(costs), whisper._dynamic_time_warping(costs), strict=True
    ):
        assert_array_equal(ours, theirs)


def test_the_median_is_that_of_transformers():
    whisper = pytest.importorskip("transformers.models.whisper.generation_whisper")
    torch = pytest.importorskip("torch")
    table = RNG.normal(size=(2, 3, 12))
    expected = whisper._median_filter(torch.tensor(table), 7).numpy()
    assert_array_equal(token_times._smoothed(table, 7), expected)


def test_every_token_gets_the_frames_it_was_said_in():
    ends = np.array([6, 10, 25, 31, 40])
    said = np.searchsorted(ends, np.arange(40), side="right")
    weights = np.exp(3 * (said[None] == np.arange(5)[:, None])) + RNG.random((2, 5, 40))
    weights /= weights.sum(-1, keepdims=True)
    found = token_frames(weights, width=3)
    assert_array_equal(found[:, 1], ends)
    assert all(left[1] == right[0] for left, right in pairwise(found))
    assert_array_equal(token_frames(weights[0], width=3)[:, 1], ends)


@pytest.mark.parametrize(
    ("weights", "width", "words"),
    [(np.ones(3), 7, "weights must have"), (np.ones((2, 3)), 4, "width must be")],
)
def test_what_it_takes(weights, width, words):
    with pytest.raises(ValueError, match=words):
        token_frames(weights, width)


def test_few_frames_are_not_smoothed():
    assert_array_equal(token_frames(np.eye(3)), [[0, 1], [1, 2], [2, 3]])
