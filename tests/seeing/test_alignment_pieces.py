"""Pieces find the words that they spell."""

import pytest

from regard.seeing.pieces import pieces_of_words


@pytest.mark.parametrize(
    ("pieces", "words", "groups"),
    [
        (["▁Мо", "скв", "а", "."], ["Москва", "."], [[0, 1, 2], [3]]),
        (["▁", "Я", "▁не"], ["Я", "не"], [[0, 1], [2]]),
        (["▁don", "'t"], ["do", "n't"], [[0], [0, 1]]),
        (["<unk>", "▁cat"], ["☃", "cat"], [[0], [1]]),
        (["▁a", "<unk>", "b"], ["a☃b"], [[0, 1, 2]]),
        (["un", "##seen"], ["unseen"], [[0, 1]]),
        (["▁it's"], ["it", "'s"], [[0], [0]]),
        ([], [], []),
    ],
)
def test_every_piece_goes_to_the_words_it_spells(pieces, words, groups):
    assert pieces_of_words(pieces, words) == groups


@pytest.mark.parametrize("pieces", [["▁ca"], ["▁cats"]])
def test_pieces_that_spell_something_else_are_refused(pieces):
    with pytest.raises(ValueError, match="pieces must spell the words, 3 characters"):
        pieces_of_words(pieces, ["cat"])
