"""The verbs of translation on one tiny run, from training to the report."""

import io
import json
import re
import shutil
import sys
from types import SimpleNamespace

import pytest

from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.translator import Translator
from regard.cli import main

SETTINGS = """
[data]
source_vocabulary = 60
target_vocabulary = 60
max_length = 12
tokens_per_batch = 256
buckets = 1
[model]
embedding = 12
units = 12
[training]
checkpoint_every = 1000.0
"""
WORDS = ["one", "two", "three", "four", "five"]
RUSSIAN = ["один", "два", "три", "четыре", "пять"]


def lines(count: int, start: int = 0) -> str:
    numbers = [(n % 5, n * n % 5, n // 5 % 5) for n in range(start, start + count)]
    return "".join(
        " ".join(WORDS[n] for n in three)
        + "\t"
        + " ".join(RUSSIAN[n] for n in three)
        + "\tCC BY\n"
        for three in numbers
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("translation")
    (path / "train.tsv").write_text(lines(120), "utf-8")
    (path / "test.tsv").write_text(lines(8, 200), "utf-8")
    (path / "settings.toml").write_text(SETTINGS)
    words = ["train", "translate", "--pairs", str(path / "train.tsv"), "--epochs", "2"]
    words += ["--dev", str(path / "test.tsv"), "--config", str(path / "settings.toml")]
    words += ["--out", str(path / "run"), "--attention", "dot"]
    assert main(words) == 0
    return path


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """Keep what was loaded: a new translator compiles its search anew."""
    load, kept = Translator.load, {}

    def load_once(run_folder):
        if run_folder.path not in kept:
            kept[run_folder.path] = load(run_folder)
        return kept[run_folder.path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Translator, "load", load_once)
        yield


@pytest.fixture
def run(folder):
    return str(folder / "run")


def output(capsys, *words: str) -> str:
    """What a command that works prints."""
    capsys.readouterr()
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_the_run_holds_all_that_is_needed(folder):
    names = {path.name for path in (folder / "run").iterdir()}
    assert names == {
        "config.json",
        "source.tokenizer.json",
        "target.tokenizer.json",
        "metrics.jsonl",
        "last.keras",
        "best.keras",
    }
    content = json.loads((folder / "run" / "config.json").read_text())
    assert content["settings"]["model"]["attention"] == "dot"
    assert content["pairs"] == [str(folder / "train.tsv")]
    steps = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    assert all("step" in json.loads(line) for line in steps)


def test_evaluation_names_its_signatures(capsys, folder, run):
    test = str(folder / "test.tsv")
    shown = output(capsys, "evaluate", run, "--pairs", test, "--beam", "2")
    assert "nrefs:1|case:mixed" in shown and "exact match" in shown
    assert "tokens per second, beam 2" in shown
    words = ["evaluate", run, "--pairs", test, "--beam", "2", "--json"]
    scores = json.loads(output(capsys, *words, "--references", "all"))
    assert scores["pairs"] == 8
    # Each third column counts as a reference where all are asked for.
    assert "nrefs:2" in scores["bleu_signature"]
    assert 0 <= scores["bleu"] <= 100 and scores["tokens_per_second"] > 0


def test_two_aligned_files_are_the_same_pairs(capsys, folder, run):
    columns = [line.split("\t") for line in lines(8, 200).splitlines()]
    for name, at in (("a.en", 0), ("a.ru", 1)):
        text = "".join(row[at] + "\n" for row in columns)
        (folder / name).write_text(text, "utf-8")
    sides = [str(folder / "a.en"), str(folder / "a.ru")]
    tail = ["--beam", "2", "--json"]
    found = [
        json.loads(output(capsys, "evaluate", run, *given, *tail))["bleu"]
        for given in (
            ["--pairs", str(folder / "test.tsv")],
            ["--pairs", *sides],
            ["--source", sides[0], "--target", sides[1]],
        )
    ]
    assert found[0] == found[1] == found[2]


def test_arguments_files_and_standard_input_agree(capsys, folder, run, monkeypatch):
    texts = ["one two", "three"]
    (folder / "texts.txt").write_text("\n".join(texts) + "\n")
    stream = SimpleNamespace(
        buffer=io.BytesIO("\n".join(texts).encode()), isatty=lambda: False
    )
    monkeypatch.setattr(sys, "stdin", stream)
    tail = ["--beam", "2"]
    by_arguments = output(capsys, "translate", run, *texts, *tail)
    by_file = output(
        capsys, "translate", run, "--file", str(folder / "texts.txt"), *tail
    )
    by_input = output(capsys, "translate", run, *tail)
    assert len(by_arguments.splitlines()) == 2
    assert by_arguments == by_file == by_input


def test_an_empty_line_stays_one(capsys, run, monkeypatch):
    stream = SimpleNamespace(buffer=io.BytesIO(b"one\n\ntwo\n"), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stream)
    shown = output(capsys, "translate", run, "--beam", "2").split("\n")
    assert shown[1] == "" and len(shown) == 4


def test_json_holds_the_alignment_of_every_hypothesis(capsys, run):
    shown = output(capsys, "translate", run, "one two", "--beam", "2", "--json")
    found = json.loads(shown)
    assert found["source"] == "one two" and len(found["others"]) == 1
    for hypothesis in (found, *found["others"]):
        alignment = hypothesis["alignment"]
        assert len(alignment) == len(hypothesis["pieces"])
        assert {len(row) for row in alignment} == {len(found["source_pieces"])}
        assert all(abs(sum(row) - 1) < 0.01 for row in alignment)
    assert found["score"] >= found["others"][0]["score"]


def test_the_alignment_is_drawn(capsys, run):
    plain = output(capsys, "translate", run, "one two", "--beam", "2")
    drawn = output(capsys, "translate", run, "one two", "--beam", "2", "--alignment")
    assert drawn.startswith(plain) and len(drawn.splitlines()) > 3


def test_the_report_shows_the_translations(capsys, folder, run):
    out, test = folder / "pages" / "report.html", str(folder / "test.tsv")
    words = ["report", run, "--pairs", test, "--out", str(out), "--limit", "3"]
    words += ["--redact", "один", "--redact", "two"]
    shown = output(capsys, *words, "--beam", "2", "--lang", "ru")
    assert shown == f"{out}: 3 translations with their alignments\n"
    page = out.read_text("utf-8")
    assert '<html lang="ru"' in page
    assert "Переводы и то, куда смотрела модель" in page
    source = lines(1, 200).split("\t")[0]
    assert source.replace("two", "███") in page
    texts = re.sub('<script type="text/plain".*?</script>', "", page)  # packed bytes
    assert "two" not in texts and "один" not in texts


@pytest.mark.parametrize("table", [False, True])
def test_the_report_stands_beside_the_links_that_people_drew(
    capsys, folder, run, table
):
    gold, out = folder / "gold.txt", folder / "gold.html"
    links = ["0-0 1-1 2-2", "0-0 1?1 2-2"]
    pairs = folder / "two.tsv"
    pairs.write_text(lines(2, 200), "utf-8")
    words = ["report", run, "--gold", str(gold), "--out", str(out)]
    if table:
        texts = [line.split("\t")[:2] for line in lines(2, 200).splitlines()]
        rows = ["\t".join(["id", *text, "0-0 1-1 2p2"]) for text in texts]
        gold.write_text("\n".join(rows), "utf-8")
    else:
        gold.write_text("\n".join(links), "utf-8")
        words += ["--pairs", str(pairs)]
    assert main([*words, "--language", "ru"]) == 0
    assert "2 alignments beside" in capsys.readouterr().out
    page = out.read_text("utf-8")
    assert (
        "Куда смотрела модель" in page
        and page.count("AER 0,") + page.count("AER 1,") == 2
    )
    (example, _) = json.loads(page.split('id="data">')[1].split("</script>")[0])[
        "examples"
    ]
    assert example["maps"][0]["gold"]["sure"][0] == [0, 0]
    assert 0 <= example["scores"]["AER"] <= 1


def test_a_finished_run_is_not_trained_over(capsys, folder, run):
    words = ["train", "translate", "--pairs", str(folder / "train.tsv"), "--out", run]
    assert main([*words, "--epochs", "2"]) == 2
    assert "this run exists already. Continue it with --resume" in (
        capsys.readouterr().err
    )


def test_resuming_with_other_settings_is_refused(capsys, run):
    words = ["train", "translate", "--out", run, "--resume", "--attention", "cosine"]
    assert main(words) == 2
    message = capsys.readouterr().err
    assert "model.attention was 'dot'. Got 'cosine'" in message


def test_a_finished_run_trains_on_where_it_is_given_more_epochs(capsys, folder, run):
    longer = folder / "longer"
    shutil.copytree(run, longer)
    steps = [line["step"] for line in RunFolder.open(longer).read_metrics()]
    words = ["train", "translate", "--out", str(longer), "--resume", "--epochs"]
    assert main([*words, "1"]) == 2
    assert "training.epochs was 2. Got 1" in capsys.readouterr().err
    output(capsys, *words, "3")
    after = RunFolder.open(longer)
    assert after.config().training.epochs == 3
    assert after.read_metrics()[-1]["step"] == steps[-1] / 2 * 3
    assert after.facts() == {
        **RunFolder.open(run).facts(),
        "settings": after.config().model_dump(),
    }


def test_resuming_with_other_pairs_is_refused(capsys, folder, run):
    other = folder / "other.tsv"
    other.write_text(lines(100), "utf-8")
    words = ["train", "translate", "--out", run, "--resume", "--pairs", str(other)]
    assert main(words) == 2
    assert "the pairs must be those the run began with" in capsys.readouterr().err


def test_resuming_a_finished_run_changes_no_metrics(capsys, folder, run):
    before = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    output(capsys, "train", "translate", "--out", run, "--resume")
    after = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    last = [json.loads(line)["step"] for line in (before[-1], after[-1])]
    assert last[0] == last[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "--pairs", "none.tsv"], "none.tsv: a text file is expected"),
        (["evaluate"], "--pairs must name one tab-separated file"),
        (["evaluate", "--references", "x", "--pairs", "a"], "--references must be"),
        (["translate", "--file", "none.txt"], "none.txt: a text file is expected"),
        (["translate", "hi", "--file", "none.txt"], "give texts or --file, not both"),
        (["report", "--pairs", "none.tsv"], "none.tsv: a text file is expected"),
        (["report", "--pairs", "x", "--lang", "de"], "language must be one of en, ru"),
    ],
)
def test_bad_input_is_one_line(capsys, run, words, message):
    assert main([words[0], run, *words[1:]]) == 2
    shown = capsys.readouterr().err
    assert message in shown and "Traceback" not in shown


def test_input_that_is_not_utf8_is_named(capsys, run, monkeypatch):
    stream = SimpleNamespace(buffer=io.BytesIO(b"one\n\xff\n"), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stream)
    assert main(["translate", run, "--beam", "2"]) == 2
    assert "standard input:2: not UTF-8 (byte 0xff" in capsys.readouterr().err


def test_a_word_is_explained(capsys, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["explain", run, "one two", "--word", "1", "--lang", "ru"]
    shown = output(capsys, *words, "--beam", "2")
    assert "РАСХОДИТСЯ" not in shown
    assert "совпадает со слоем" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_word_is_explained_on_a_page(capsys, run, tmp_path):
    page = tmp_path / "new" / "word.html"
    shown = output(capsys, "explain", run, "one two", "--page", str(page))
    assert str(page) in shown
    assert "<math" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--word", "99"], "regard: --word must be a number from 1 to "),
        (["--head", "5"], "regard: --head must be 0, for there is only one. Got 5."),
        (["--layer", "x"], "regard: --layer must name attention layers of the model: "),
    ],
)
def test_what_is_not_there_to_be_explained(capsys, run, option, message):
    assert main(["explain", run, "one", *option]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(message)
