"""Links from attention, and the alignment error rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate import Alignment
from nltk.translate.metrics import alignment_error_rate

from regard.seeing.alignment import (
    AlignmentCounts,
    count_links,
    diagonal_links,
    links_above,
    merge_pieces,
    rows_of_targets,
    strongest_links,
)
from regard.seeing.soft_alignment import count_weights

LINKS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


def test_the_error_rate_of_the_published_example():
    # The doctest of nltk.translate.metrics.alignment_error_rate.
    reference = {(0, 0), (1, 1), (2, 2)}
    test = {(0, 0), (1, 2), (2, 1)}
    assert count_links(test, reference).error_rate == pytest.approx(0.6667, abs=5e-5)


@given(
    predicted=LINKS, sure=LINKS.filter(bool), possible=LINKS,
)  # fmt: skip
def test_the_error_rate_equals_that_of_nltk(predicted, sure, possible):
    ours = count_links(predicted, sure, possible).error_rate
    theirs = alignment_error_rate(
        Alignment(sure), Alignment(predicted), Alignment(sure | possible)
    )
    assert ours == pytest.approx(theirs)


def test_precision_counts_possible_links_and_recall_sure_ones():
    counts = count_links({(0, 0), (1, 1), (2, 2)}, {(0, 0), (3, 3)}, {(1, 1)})
    assert counts == AlignmentCounts(3, 2, 1, 2)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(1 / 2)
    assert counts.error_rate == pytest.approx(1 - 3 / 5)


def test_counts_are_summed_before_they_are_divided():
    long = count_links({(i, i) for i in range(9)}, {(i, i) for i in range(9)})
    short = count_links({(0, 0)}, {(0, 1)})
    total = sum((long, short), AlignmentCounts())
    assert total.error_rate == pytest.approx(0.1)
    assert total.error_rate != (long.error_rate + short.error_rate) / 2


def test_nothing_to_compare_is_no_error():
    assert count_links((), ()).error_rate == 0
    assert count_links((), {(0, 0)}).error_rate == 1
    assert count_links({(0, 0)}, ()).error_rate == 1


def test_source_pieces_are_summed_and_target_pieces_averaged():
    weights = np.array(
        [
            [0.5, 0.25, 0.25, 0.0],
            [0.25, 0.25, 0.25, 0.25],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    merged = merge_pieces(weights, [[0, 1]], [[0, 1], [2]])  # last column: the end
    np.testing.assert_allclose(merged, [[0.625, 0.25]])


def test_a_word_without_pieces_has_no_weight_and_no_link():
    merged = merge_pieces(np.eye(2), [[0], [], [1]], [[0], [1], []])
    np.testing.assert_array_equal(merged, [[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert strongest_links(merged) == {(0, 0), (1, 2)}


def test_a_piece_outside_the_map_is_refused():
    with pytest.raises(ValueError, match=r"source_words must hold .* below 2.* Got 2"):
        merge_pieces(np.eye(2), [[0]], [[2]])
    with pytest.raises(ValueError, match="target_words must hold pieces below 2"):
        merge_pieces(np.eye(2), [[5]], [[0]])


def test_the_two_readings_are_one_row_apart():
    weights = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(rows_of_targets(weights, "output"), weights[:2])
    np.testing.assert_array_equal(rows_of_targets(weights, "input"), weights[1:])
    with pytest.raises(ValueError, match="reading must be one of"):
        rows_of_targets(weights, "both")


def test_a_shifted_map_is_right_only_under_the_input_reading():
    # Row i looks at the source of the token it was fed; the last row predicts the end.
    weights = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    gold = {(0, 0), (1, 1), (2, 2)}
    rates = [
        count_links(strongest_links(rows_of_targets(weights, reading)), gold).error_rate
        for reading in ("output", "input")
    ]
    assert rates == pytest.approx([2 / 3, 0])


def test_links_by_target_by_source_and_by_threshold():
    table = np.array([[0.6, 0.4], [0.9, 0.1], [0.0, 0.0]])
    assert strongest_links(table) == {(0, 0), (0, 1)}
    assert strongest_links(table, per="source") == {(0, 1), (1, 0)}
    assert links_above(table, 0.4) == {(0, 0), (1, 0), (0, 1)}
    assert strongest_links(np.zeros((0, 3))) == set()
    with pytest.raises(ValueError, match="per must be 'target' or 'source'"):
        strongest_links(table, per="word")


@pytest.mark.parametrize(
    ("sizes", "links"),
    [
        ((3, 3), {(0, 0), (1, 1), (2, 2)}),
        ((2, 4), {(0, 0), (0, 1), (1, 2), (1, 3)}),
        ((5, 1), {(0, 0)}),
        ((0, 2), set()),
        ((2, 0), set()),
    ],
)
def test_the_diagonal_goes_from_corner_to_corner(sizes, links):
    assert diagonal_links(*sizes) == links


def test_soft_counts_are_links_that_weigh_something():
    table = np.array([[0.7, 0.3, 0.0], [0.2, 0.2, 0.6]])
    sure, possible = [(0, 0)], [(2, 1)]
    found = count_weights(table, sure, possible)
    # 1 − (0.7 + (0.7 + 0.6)) / (2 + 1)
    assert found.error_rate == pytest.approx(1 / 3)
    hard = np.array([[1, 0, 0], [0, 0, 1.0]])
    links = count_links({(0, 0), (2, 1)}, sure, possible)
    assert count_weights(hard, sure, possible) == links
