"""Bad input to the verbs of translation: one clear text, status 2, no traceback."""

import pytest

from regard.cli import main


def refused(capsys, *words: str) -> str:
    """What a command that must be refused says on standard error."""
    capsys.readouterr()
    assert main(list(words)) == 2
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err and shown.out == ""
    return " ".join(shown.err.replace("│", " ").split())


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"a {n}\tб {n}\n" for n in range(50)))
    return str(path)


def test_training_without_pairs(capsys, tmp_path):
    out = str(tmp_path / "run")
    message = refused(capsys, "train", "translate", "--out", out)
    assert "--pairs must name one tab-separated file or two" in message


def test_training_on_a_missing_file(capsys, tmp_path):
    out, none = str(tmp_path / "run"), str(tmp_path / "none.tsv")
    message = refused(capsys, "train", "translate", "--pairs", none, "--out", out)
    assert (
        message == f"regard: {none}: a text file is expected here, but it is missing."
    )
    assert not (tmp_path / "run").exists()


def test_training_on_bad_lines_names_them(capsys, tmp_path, pairs):
    with open(pairs, "a") as stream:
        stream.write("no tab\n\nc\td\n")
    out = str(tmp_path / "run")
    message = refused(capsys, "train", "translate", "--pairs", pairs, "--out", out)
    assert "3.8 % of the lines are bad" in message
    assert "pairs.tsv:51: no tab between source and target" in message
    assert "pairs.tsv:52: empty line" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--attention", "magic"],
            "model.attention: Input should be 'additive', 'dot'",
        ),
        (["--minutes", "1", "--epochs", "2"], "give minutes or epochs, not both"),
        (["--minutes", "0"], "training.minutes: Input should be greater than 0"),
        (["--config", "none.toml"], "none.toml: no such configuration file"),
        (["--epochs", "many"], "'--epochs'"),
        (["--dev", "none.tsv"], "none.tsv: a text file is expected here"),
        (["--backend", "abacus"], "--backend"),
    ],
)
def test_wrong_options_of_training(capsys, tmp_path, pairs, words, message):
    out = str(tmp_path / "run")
    said = refused(capsys, "train", "translate", "--pairs", pairs, "--out", out, *words)
    assert message in said
    assert not (tmp_path / "run").exists()


def test_a_folder_in_use_is_left_alone(capsys, tmp_path, pairs):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.doc").write_text("mine")
    out = str(tmp_path / "run")
    message = refused(capsys, "train", "translate", "--pairs", pairs, "--out", out)
    assert "the folder is not empty and is not a run" in message


@pytest.mark.parametrize("verb", ["evaluate", "translate", "report"])
def test_a_folder_that_is_no_run(capsys, tmp_path, verb):
    message = refused(capsys, verb, str(tmp_path))
    assert message == f"regard: {tmp_path}: not a run folder: it has no config.json."
    message = refused(capsys, verb, str(tmp_path / "none"))
    assert message == f"regard: {tmp_path / 'none'}: no such run folder."


def test_the_wrong_language_for_the_demonstration(capsys, tmp_path):
    message = refused(capsys, "demo", "translate", "--to", "xx", "--out", str(tmp_path))
    assert "the language must be a code such as ru, fr or pt_BR. Got 'xx'" in message


def test_help_shows_the_options(capsys):
    assert main(["train", "translate", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--pairs", "--dev", "--out", "--attention", "--resume", "--minutes"):
        assert option in shown
