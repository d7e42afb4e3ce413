"""Where an application's packages are missing, the extra is named."""

import pytest

from regard.cli import _extras, main


@pytest.fixture
def without(monkeypatch):
    """Make packages look as if they were not installed."""

    def hide(*names):
        found = _extras.find_spec
        monkeypatch.setattr(
            _extras, "find_spec", lambda name: None if name in names else found(name)
        )

    return hide


def test_what_is_installed_passes(without):
    without("nothing")
    _extras.require(_extras.TRANSLATE | _extras.DATES)


@pytest.mark.parametrize(
    ("hidden", "words", "message"),
    [
        (["babel"], ["demo", "dates"], "needs babel, which is not installed: pip"),
        (["sacrebleu", "babel"], ["demo", "translate"], "regard[dates,translate]"),
        (["tokenizers"], ["train", "translate", "--out", "x"], "regard[translate]"),
        (["tokenizers", "sacrebleu"], ["translate", "x"], "tokenizers and sacrebleu"),
        (["sacrebleu"], ["evaluate", "x"], 'pip install "regard[translate]"'),
        (["sacrebleu"], ["report", "x"], 'pip install "regard[translate]"'),
    ],
)
def test_a_missing_package_names_its_extra(without, capsys, hidden, words, message):
    without(*hidden)
    assert main(words) == 2
    assert message in capsys.readouterr().err
