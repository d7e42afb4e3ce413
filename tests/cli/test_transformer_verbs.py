"""A tiny transformer through the verbs of translation, from training to the report."""

import json

import pytest

from regard.cli import main

SETTINGS = """
[data]
source_vocabulary = 40
target_vocabulary = 40
max_length = 8
tokens_per_batch = 256
buckets = 1
[model]
units = 8
heads = 2
layers = 2
[training]
checkpoint_every = 1000.0
"""
WORDS = {"one": "один", "two": "два", "three": "три", "four": "четыре"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("transformer")
    words = list(WORDS)
    pairs = [(words[n % 4], words[n // 4 % 4]) for n in range(64)]
    text = "".join(
        f"{a} {b}\t{WORDS[a]} {WORDS[b]}\tnumber {n}\n"
        for n, (a, b) in enumerate(pairs)
    )
    (path / "train.tsv").write_text(text, "utf-8")
    (path / "test.tsv").write_text("".join(text.splitlines(True)[:4]), "utf-8")
    (path / "settings.toml").write_text(SETTINGS)
    assert main([*begin(path), "--out", str(path / "run")]) == 0
    return path


def begin(path):
    words = ["train", "translate", "--model", "transformer", "--epochs", "1"]
    words += ["--pairs", str(path / "train.tsv"), "--dev", str(path / "test.tsv")]
    return [*words, "--config", str(path / "settings.toml")]


def output(capsys, *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_settings_of_a_transformer_have_their_own_defaults(capsys):
    shown = output(
        capsys, "train", "translate", "--model", "transformer", "--show-settings"
    )
    for line in (
        'kind = "transformer"',
        'attention = "multi_head"',
        "dropout = 0.1",
        "learning_rate = 0.001",
        'position = "rope"',
    ):
        assert line in shown


def test_what_it_was_is_kept_and_a_finished_run_resumes(folder):
    content = json.loads((folder / "run" / "config.json").read_text())
    assert content["settings"]["model"]["kind"] == "transformer"
    assert content["settings"]["model"]["embedding"] == 8
    before = (folder / "run" / "metrics.jsonl").read_text()
    assert main([*begin(folder), "--out", str(folder / "run"), "--resume"]) == 0
    assert (folder / "run" / "metrics.jsonl").read_text().startswith(before)


def test_it_translates_and_shows_an_alignment(capsys, folder):
    run = str(folder / "run")
    words = ["translate", run, "one two", "four", "--beam", "2", "--json"]
    found = [json.loads(line) for line in output(capsys, *words).splitlines()]
    assert [each["source"] for each in found] == ["one two", "four"]
    for each in found:
        assert len(each["alignment"]) == 2  # heads of the last block but one
        assert len(each["alignment"][0][0]) == len(each["source_pieces"])
        assert len(each["alignment"][0]) == len(each["pieces"])


def test_it_is_evaluated_and_reported(capsys, folder):
    run, test = str(folder / "run"), str(folder / "test.tsv")
    words = ["evaluate", run, "--pairs", test, "--beam", "2", "--json"]
    scores = json.loads(output(capsys, *words))
    assert scores["pairs"] == 4 and 0 <= scores["chrf"] <= 100
    page = folder / "report.html"
    words = ["report", run, "--pairs", test, "--out", str(page), "--beam", "2"]
    assert "4 translations with their alignments" in output(capsys, *words)
    assert "<html" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('kind = "lstm"', "model.kind"),
        ("embedding = 7\nunits = 8", "embedding must be units in a transformer"),
        ("units = 10\nheads = 4", "units must be a multiple of heads"),
        ('attention = "location"', "attention = 'location' does not fit"),
    ],
)
def test_what_does_not_fit_a_transformer_is_refused(capsys, tmp_path, settings, named):
    path = tmp_path / "settings.toml"
    kind = "" if "kind" in settings else 'kind = "transformer"\n'
    path.write_text(f"[model]\n{kind}{settings}\n")
    words = ["train", "translate", "--config", str(path), "--show-settings"]
    assert main(words) == 2
    assert named in " ".join(capsys.readouterr().err.replace("│", " ").split())
