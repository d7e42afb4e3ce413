"""Tokens are shown whole and nothing in them hides."""

import pytest

from regard.reports.tokens import direction, shorten, show_tokens, visible
from regard.seeing.pieces import word_groups


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("кот", "кот"),
        ("a b\n", "a␣b⏎"),
        ("\u202eabc", "U+202Eabc"),
        ("\x00", "U+0000"),
        ("\ud800", "U+D800"),
        ("\u200b", "U+200B"),
        ("\u0301", "◌\u0301"),
        ("e\u0301", "e\u0301"),
        ("й", "й"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\u200d", "U+200D"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u00a0", "U+00A0"),
    ],
)
def test_invisible_characters_are_written_out(text, shown):
    assert visible(text) == shown


def test_kept_characters_stay():
    assert visible("a b\nc", keep=" ") == "a b⏎c"


def test_long_texts_are_counted():
    assert shorten("a" * 12, 10) == "a" * 10 + "… (+2)"
    assert shorten("a" * 10, 10) == "a" * 10


@pytest.mark.parametrize(
    ("tokens", "groups"),
    [
        (["▁un", "seen", "▁cat", "</s>"], [[0, 1], [2], [3]]),
        (["<s>", "un", "##seen", "cat"], [[0], [1, 2], [3]]),
        (["un", "seen</w>", "cat</w>"], [[0, 1], [2]]),
        (["un@@", "seen", "cat"], [[0, 1], [2]]),
        (["Ġun", "seen", "Ġcat"], [[0, 1], [2]]),
        (["plain", "words"], [[0], [1]]),
        (["</s>"], [[0]]),
        ([], []),
    ],
)
def test_pieces_make_words_by_the_mark_they_carry(tokens, groups):
    assert word_groups(tokens) == groups


def test_marks_are_drawn_as_joins_not_as_letters():
    shown = show_tokens(["▁ни", "когда", ".", "</s>"])
    assert [token.text for token in shown] == ["ни", "когда", ".", "</s>"]
    assert [token.joins for token in shown] == [False, True, False, False]
    assert [token.special for token in shown] == [False, False, False, True]


def test_a_number_sign_is_no_mark_where_nothing_is_marked():
    assert [token.text for token in show_tokens(["#", "c#"])] == ["#", "c#"]


def test_direction_comes_from_the_language_else_from_most_tokens():
    assert direction(["cat"], "he") == "rtl"
    assert direction(["cat"], "fa-IR") == "rtl"
    assert direction(["חתול"], "ru") == "ltr"
    assert direction(["[CLS]", "חתול", "אדום", "1996"]) == "rtl"
    assert direction(["кот", "חתול"]) == "ltr"
    assert direction([]) == "ltr"
