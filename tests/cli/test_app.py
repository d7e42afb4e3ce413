"""The command as a whole: its verbs, its version, how it refuses."""

import sys
from types import ModuleType

import keras
import pytest

import regard
from regard.cli import app, main


@pytest.fixture
def verb(monkeypatch):
    """A verb whose module is made on the spot."""

    def add(command):
        module = ModuleType("regard.cli.probe")
        module.command = command
        monkeypatch.setitem(sys.modules, "regard.cli.probe", module)
        found = list(app.pkgutil.iter_modules(app.cli.__path__))
        probe = type(found[0])(None, "probe", False)
        monkeypatch.setattr(app.pkgutil, "iter_modules", lambda path: [*found, probe])

    return add


def test_the_version_names_the_backend(capsys):
    assert main(["--version"]) == 0
    shown = capsys.readouterr().out
    assert regard.__version__ in shown
    assert keras.backend.backend() in shown


def test_an_unknown_verb_is_refused(capsys):
    assert main(["sing"]) == 2
    assert "sing" in capsys.readouterr().err


def test_a_verb_is_found_and_gets_its_words(verb):
    heard = []

    def command(words: list[str]) -> None:
        heard.extend(words)

    verb(command)
    assert main(["probe", "one", "two"]) == 0
    assert heard == ["one", "two"]


@pytest.mark.parametrize("kind", [ValueError, FileNotFoundError])
def test_bad_input_ends_in_one_line(verb, capsys, kind):
    def command() -> None:
        raise kind("pairs.tsv, line 3: no tab")

    verb(command)
    assert main(["probe"]) == 2
    assert capsys.readouterr().err == "regard: pairs.tsv, line 3: no tab\n"


def test_the_traceback_is_to_be_had(verb, monkeypatch):
    def command() -> None:
        raise ValueError("no tab")

    verb(command)
    monkeypatch.setenv(app.TRACEBACK, "1")
    with pytest.raises(ValueError, match="no tab"):
        main(["probe"])
