"""IBM Model 1 finds the words that go together, as well as it is known to."""

import numpy as np
import pytest

from regard.seeing.alignment import AlignmentCounts
from regard.seeing.gold_alignments import read_gold_alignments
from regard.seeing.ibm_model_1 import IbmModel1, split_words, stem

# The example of Knight's workbook (1999) and of the textbooks since.
BOOK = [
    (["das", "haus"], ["the", "house"]),
    (["das", "buch"], ["the", "book"]),
    (["ein", "buch"], ["a", "book"]),
]


def plain_model_1(pairs, iterations):
    """t(target | source) by loops, from Brown et al. (1993), section 4."""
    chances = {}
    for _ in range(iterations):
        counts = {}
        for source, target in pairs:
            words = ["", *source]
            for goal in target:
                shares = [chances.get((word, goal), 1.0) for word in words]
                for word, share in zip(words, shares, strict=True):
                    place = (word, goal)
                    counts[place] = counts.get(place, 0) + share / sum(shares)
        totals = {}
        for (word, _), count in counts.items():
            totals[word] = totals.get(word, 0) + count
        chances = {key: count / totals[key[0]] for key, count in counts.items()}
    return chances


def test_the_probabilities_equal_those_of_the_paper_in_loops():
    model, plain = IbmModel1(BOOK, iterations=4), plain_model_1(BOOK, 4)
    table = model.table(["", "das", "haus"], ["the", "house", "book"])
    for row, goal in enumerate(["the", "house", "book"]):
        for column, word in enumerate(["", "das", "haus"]):
            assert table[row, column] == pytest.approx(plain.get((word, goal), 0))


def test_it_sorts_out_the_textbook_example():
    model = IbmModel1(BOOK, iterations=20)
    assert model.links(["das", "haus"], ["the", "house"]) >= {(1, 1)}
    for source, target in BOOK:
        assert model.links(source, target, per="source") == {(0, 0), (1, 1)}


def test_probabilities_of_a_source_word_sum_to_one():
    model = IbmModel1(BOOK)
    table = model.table(["das", "buch", ""], ["the", "house", "book", "a"])
    np.testing.assert_allclose(table.sum(axis=0), 1)


def test_unknown_words_have_no_link():
    model = IbmModel1(BOOK)
    assert model.links(["xyz"], ["the"]) == set()
    assert model.links(["das"], ["xyz"]) == set()
    assert model.links([], ["the"]) == set()


def test_words_are_compared_by_their_beginning():
    assert stem("Катастрофа") == stem("катастрофы") == "катас"
    assert split_words("Don't go, Том!") == ["Don", "t", "go", "Том"]


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="pairs must hold at least one target word"):
        IbmModel1([(["a"], [])])
    with pytest.raises(ValueError, match=r"iterations must be at least 1\. Got 0"):
        IbmModel1(BOOK, iterations=0)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "known"), [("ru", 0.460), ("fr", 0.443)])
def test_the_error_rate_on_real_gold_is_the_known_one(shared, target, known):
    corpus = {"ru": "rus", "fr": "fra"}[target]
    folder = shared / "data"
    lines = (folder / f"tatoeba-eng-{corpus}/train.tsv").read_text("utf-8").splitlines()
    pairs = [tuple(map(split_words, line.split("\t")[:2])) for line in lines]
    gold = read_gold_alignments(folder / f"align-pud/en-{target}.test.tsv")
    model = IbmModel1([*pairs, *((pair.source, pair.target) for pair in gold)])
    counts = [
        pair.count(model.links(pair.source, pair.target, per="source")) for pair in gold
    ]
    assert sum(counts, AlignmentCounts()).error_rate == pytest.approx(known, abs=0.02)
