"""Gold alignments are read as the tables mean them."""

import pytest

from regard.seeing.alignment import AlignmentCounts
from regard.seeing.gold_alignments import read_gold_alignments

CONTENT = (
    "id\tsrc_tokens\ttgt_tokens\tlinks\tsrc_content_idx\ttgt_content_idx\n"
    'n1\tI hope so .\tя " надеюсь\t1-2\t1 2\t2\n'
)
ALL_WORDS = (
    "id\tsrc_tokens\ttgt_tokens\tlinks\nC.0\tle chat noir\tthe black cat\t0-0 1-2 1p1\n"
)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "gold.tsv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_header_row_is_no_sentence(table):
    (pair,) = read_gold_alignments(table(CONTENT))
    assert pair.name == "n1"
    assert pair.target == ("я", '"', "надеюсь")
    assert pair.sure == {(1, 2)} and pair.possible == frozenset()
    assert pair.scored == {1, 2}


def test_a_table_without_header_loses_no_row(table):
    text = ALL_WORDS.splitlines()[1]
    assert [pair.name for pair in read_gold_alignments(table(text))] == ["C.0"]


def test_links_of_other_source_words_are_neither_right_nor_wrong(table):
    (pair,) = read_gold_alignments(table(CONTENT))
    found = pair.count({(0, 0), (1, 2), (2, 2), (3, 1)})
    assert found == AlignmentCounts(2, 1, 1, 1)


def test_sure_and_possible_links_turn_with_the_direction(table):
    (pair,) = read_gold_alignments(table(ALL_WORDS), transposed=True)
    assert pair.source == ("the", "black", "cat")
    assert pair.sure == {(0, 0), (2, 1)} and pair.possible == {(1, 1)}
    assert pair.count({(0, 0), (1, 1)}) == AlignmentCounts(2, 2, 1, 2)


def test_a_pair_with_some_words_annotated_cannot_be_turned(table):
    with pytest.raises(ValueError, match=r"cannot be transposed\. Got 'n1'"):
        read_gold_alignments(table(CONTENT), transposed=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a\tb", "line 1: a row must have id, .* Got 2 columns"),
        ("a\tb\tc\t0:0", "line 1: a link must look like 3-4 or 3p4. Got '0:0'"),
        ("a\tb\tc\t0-1", "line 1: a link must join words that are there"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(table, row, message):
    with pytest.raises(ValueError, match=message):
        read_gold_alignments(table(row))


def test_the_reference_tables_can_be_read(shared):
    content = read_gold_alignments(shared / "data/align-pud/en-ru.test.tsv")
    assert len(content) == 595
    assert all(pair.scored for pair in content)
    assert sum(len(pair.sure) for pair in content) > 5_000
    path = shared / "data/align-alibi/fr-en.LaVision.tsv"
    words = read_gold_alignments(path, transposed=True)
    assert len(words) == 106
    assert any(pair.possible for pair in words)
