"""Links written as pairs of numbers, beside the sentences they join."""

import pytest

from regard.seeing.pharaoh import read_gold, read_pharaoh

PAIRS = [("a b c", "x y z"), ("d", "w")]


def write(path, text):
    path.write_text(text, "utf-8")
    return path


def test_sure_and_possible_links_are_told_apart(tmp_path):
    path = write(tmp_path / "gold", "0-0 1p2 2?1\n\n")
    assert read_pharaoh(path) == [({(0, 0)}, {(1, 2), (2, 1)}), (set(), set())]


def test_links_are_joined_with_the_words_of_their_pair(tmp_path):
    path = write(tmp_path / "gold", "0-0 2?1\n0-0\n")
    first, second = read_gold(path, PAIRS)
    assert first.source == ("a", "b", "c") and first.target == ("x", "y", "z")
    assert first.sure == {(0, 0)} and first.possible == {(2, 1)}
    assert second.sure == {(0, 0)} and second.scored is None


def test_a_table_brings_its_own_words(tmp_path):
    path = write(tmp_path / "gold", "7\ta b\tx\t0-0 1p0\n")
    (pair,) = read_gold(path)
    assert pair.source == ("a", "b") and pair.possible == {(1, 0)}


@pytest.mark.parametrize(
    ("text", "pairs", "message"),
    [
        ("0-0\n", None, "pairs must be given too"),
        ("0-0\n", PAIRS, "a line for each of the 2 pairs. Got 1"),
        ("0-0\n0:0\n", PAIRS, "line 2: a link must look like .* Got '0:0'"),
        ("0-0\n1-0\n", PAIRS, "line 2: a link must join words .* Got 1-0"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(tmp_path, text, pairs, message):
    with pytest.raises(ValueError, match=message):
        read_gold(write(tmp_path / "gold", text), pairs)


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "links"
    path.write_bytes(b"\xff\xfe0-0")
    with pytest.raises(ValueError, match=r"links must be text in UTF-8"):
        read_gold(path)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"links must be a file of links .*: No such"):
        read_gold(tmp_path / "links")
