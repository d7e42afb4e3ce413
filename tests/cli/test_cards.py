"""`regard list`, `show` and `cite`: what they print, and how they refuse."""

import pytest

from regard.cards import GROUPS, LANGUAGES, card, names
from regard.cli import main


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """A page of 80 columns without colour."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_has_every_mechanism_once(capsys, language):
    assert main(["list", "--lang", language]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(listed) == list(names())
    assert [line for line in lines if line in [g[language] for g in GROUPS.values()]]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wide_terminal_cuts_no_title(capsys, monkeypatch, language):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["list", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown and max(map(len, shown.splitlines())) <= 100
    assert all(f" {card(name).text(language).title}" in shown for name in names())


def test_a_group_is_listed_alone(capsys):
    assert main(["list", "--group", "positions"]) == 0
    shown = capsys.readouterr().out
    assert "rope" in shown and "additive" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", names())
def test_a_card_is_shown_whole(capsys, name, language):
    assert main(["show", name, "--lang", language]) == 0
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    text = card(name).text(language)
    for part in (text.title, text.sentence, text.paragraph, text.use, text.avoid):
        assert " ".join(part.split()) in words
    prose = shown.partition("LaTeX")[0]
    assert max(map(len, prose.splitlines())) <= 80


def test_a_paper_is_cited(capsys):
    assert main(["cite", "additive"]) == 0
    assert capsys.readouterr().out.startswith("@inproceedings{bahdanau2015neural,")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "aditive"], "Did you mean additive"),
        (["list", "--group", "normaliser"], "Did you mean normalizers"),
        (["show", "dot", "--lang", "fr"], "language must be one of en, ru"),
        (["cite", "padding"], "no paper introduced it"),
    ],
)
def test_bad_words_end_in_one_line(capsys, words, message):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
