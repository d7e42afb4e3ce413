"""How files of pairs are named on the command line."""

from pathlib import Path

import pytest

from regard.cli._pairs import count_of, pair_files, repeat_options

A, B, C = Path("a"), Path("b"), Path("c")


def test_two_files_may_follow_one_option():
    given = ["--pairs", "a", "b", "--out", "x", "y", "--dev", "c", "--resume"]
    assert repeat_options(given, ("--pairs", "--dev")) == [
        *("--pairs", "a", "--pairs", "b", "--out", "x", "y", "--dev", "c", "--resume")
    ]


def test_repeated_options_stay():
    given = ["--pairs", "a", "--pairs", "b"]
    assert repeat_options(given, ("--pairs",)) == given


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (([A],), (A, None)),
        (([A, B],), (A, B)),
        ((None, A, B), (A, B)),
        (([], A, B), (A, B)),
    ],
)
def test_one_file_or_two(given, expected):
    assert pair_files(*given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((None,), "Got 0"),
        (([A, B, C],), "Got 3"),
        ((None, A), "must be given together"),
        (([A], B, C), "not both"),
    ],
)
def test_wrong_files(given, message):
    with pytest.raises(ValueError, match=message):
        pair_files(*given)


def test_references():
    assert count_of("all") is None
    assert count_of("3") == 3
    for wrong in ("0", "-1", "some", ""):
        with pytest.raises(ValueError, match="--references must be"):
            count_of(wrong)
